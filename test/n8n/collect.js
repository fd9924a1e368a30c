// Runs the Evidence node's code against answers from data, as the workflow's
// loop of Evidence, "Read more?" and the sub-workflows does. Like they, it gives
// every answer as text. Answers are found by path, script or repository.
//   node collect.js WORKFLOW.json < {"execute": {...}, "answers": {PATH: ANSWER}}
const fs = require('fs');

const workflow = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const { execute, answers } = JSON.parse(fs.readFileSync(0, 'utf8'));
const code = workflow.nodes.find((node) => node.name === 'Evidence').parameters.jsCode;
const evidence = new Function('$', '$input', '$runIndex', code);

const rounds = [];
let answered = [];
let result;
for (let round = 0; round < 10 && !result; round++) {
  const outputs = {
    Collect: { first: () => ({ json: { execute } }) },
    'Read more?': { all: (_, run) => rounds[run] },
  };
  const items = evidence((name) => outputs[name], { all: () => answered }, round);
  if (items[0].json.done) {
    const { evidence: { observedAt, ...rest }, ...others } = items[0].json;
    result = { ...others, evidence: rest, observed: !isNaN(Date.parse(observedAt)) };
    break;
  }
  rounds.push(items);
  answered = items.map(({ json }) => {
    const { body, ...answer } = answers[json.path ?? json.script ?? json.repo] ?? { statusCode: 404, body: { kind: 'Status' } };
    return { json: body ? { ...answer, data: JSON.stringify(body) } : answer };
  });
}
if (!result) throw new Error('the loop does not end');
// No process.exit: what a pipe has not taken yet would be lost.
process.stdout.write(JSON.stringify(result));
