// Reduces n8n's node descriptions to what the plain lint needs: for each node
// type the workflows may use, its newest version and that version's parameters.
//
//   N8N_NODE_MODULES=…/node_modules node reduce-nodes.js > nodes.json
const { join } = require('node:path');

const modules = process.env.N8N_NODE_MODULES;
const all = require(join(modules, 'n8n-nodes-base/dist/types/nodes.json'));
const wanted = ('webhook respondToWebhook httpRequest code switch if merge set splitInBatches splitOut aggregate filter wait ' +
  'executeWorkflow executeWorkflowTrigger scheduleTrigger errorTrigger formTrigger form jwt crypto ssh emailSend noOp stopAndError ' +
  'stickyNote').split(' ');

const nodes = {};
for (const name of wanted) {
  const versions = all.filter((d) => d.name === name).flatMap((d) => [].concat(d.version).map((version) => ({ version, d })));
  const newest = versions.reduce((a, b) => (b.version > a.version ? b : a));
  const parameters = [...new Set(newest.d.properties.map((p) => p.name))].sort();
  nodes[`n8n-nodes-base.${name}`] = { version: newest.version, parameters };
}
const { version } = require(join(modules, 'n8n/package.json'));
console.log(JSON.stringify({ n8n: version, nodes }, null, 1));
