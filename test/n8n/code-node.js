// Runs the code of one Code node once, with what other nodes gave from data, as n8n
// does for all items at a time.
//   node code-node.js WORKFLOW.json NODE < {"outputs": {NODE: [JSON…]}, "input": [JSON…], "run": 0}
const fs = require('fs');

const [file, name] = process.argv.slice(2);
const { outputs, input, run } = JSON.parse(fs.readFileSync(0, 'utf8'));
const node = JSON.parse(fs.readFileSync(file, 'utf8')).nodes.find((one) => one.name === name);
const items = (list) => (list ?? []).map((json) => ({ json }));
const of = (list) => ({ all: () => items(list), first: () => items(list)[0], isExecuted: list !== undefined });
const $ = (other) => {
  if (!(other in outputs)) throw new Error(`${other} gave nothing`);
  return of(outputs[other]);
};
let result;
try {
  result = { items: new Function('$', '$input', '$runIndex', node.parameters.jsCode)($, of(input), run).map(({ json }) => json) };
} catch (error) {
  result = { thrown: error.message };
}
process.stdout.write(JSON.stringify(result));
