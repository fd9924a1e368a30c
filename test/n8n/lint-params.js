// Checks workflow files against n8n's node descriptions, without running n8n.
// It sees what the SDK misses: unknown types, versions and parameters, values a
// node refuses before it runs, expressions that are not JavaScript, references
// and connections to nodes that are not there.
//
//   N8N_NODE_MODULES=…/node_modules node lint-params.js FILE…
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const modules = process.env.N8N_NODE_MODULES;
const { NodeHelpers } = require(join(modules, 'n8n-workflow'));
const descriptions = require(join(modules, 'n8n-nodes-base/dist/types/nodes.json'));

function complain(file, node, what) {
  console.log(`${file}: ${node}: ${what}`);
  process.exitCode = 1;
}

function describe(node) {
  return descriptions.find((d) => `n8n-nodes-base.${d.name}` === node.type && [].concat(d.version).includes(node.typeVersion));
}

function parameterProblems(node) {
  const d = describe(node);
  if (!d) return [`unknown type or version: ${node.type} ${node.typeVersion}`];
  const known = new Set(d.properties.map((p) => p.name));
  const problems = Object.keys(node.parameters).filter((k) => !known.has(k)).map((k) => `unknown parameter ${k}`);
  try {
    const parameters = NodeHelpers.getNodeParameters(d.properties, node.parameters, true, false, node, d);
    const issues = NodeHelpers.getNodeParametersIssues(d.properties, { ...node, parameters }, d);
    if (issues) problems.push(JSON.stringify(issues));
  } catch (e) {
    problems.push(e.message);
  }
  return problems;
}

// Every string that n8n evaluates, wherever it stands.
function expressions(value) {
  if (typeof value === 'string') return value.startsWith('=') ? [value.slice(1)] : [];
  if (value && typeof value === 'object') return Object.values(value).flatMap(expressions);
  return [];
}

function syntaxProblems(node) {
  const problems = [];
  for (const text of expressions(node.parameters)) {
    for (const [, code] of text.matchAll(/\{\{([\s\S]*?)\}\}/g)) {
      try {
        new Function(`return (${code})`);
      } catch (e) {
        problems.push(`expression: ${e.message}: ${code.slice(0, 80)}`);
      }
    }
  }
  return problems;
}

for (const file of process.argv.slice(2)) {
  const { nodes, connections } = JSON.parse(readFileSync(file));
  const names = new Set(nodes.map((n) => n.name));
  for (const node of nodes) {
    for (const problem of [...parameterProblems(node), ...syntaxProblems(node)]) complain(file, node.name, problem);
    for (const [, name] of JSON.stringify(node.parameters).matchAll(/\$\('([^']+)'\)/g)) {
      if (!names.has(name)) complain(file, node.name, `refers to ${name}, which is not there`);
    }
  }
  for (const [from, { main }] of Object.entries(connections)) {
    for (const { node: to } of main.flat()) {
      if (!names.has(from) || !names.has(to)) complain(file, from, `a connection to ${to}: one of them is not there`);
    }
  }
}
