// Checks workflow files with n8n's own workflow SDK, without running n8n. It
// sees what lint-params.js cannot: values outside an option's list, missing
// required parameters, nodes that nothing reaches. It only ever warns about
// them, so here a warning fails.
//
//   N8N_NODE_MODULES=…/node_modules node lint-sdk.js FILE…
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const modules = process.env.N8N_NODE_MODULES;
const { validateWorkflow, setSchemaBaseDirs } = require(join(modules, '@n8n/workflow-sdk'));
setSchemaBaseDirs([join(modules, 'n8n-nodes-base/dist/node-definitions')]);

for (const file of process.argv.slice(2)) {
  const { valid, errors, warnings } = validateWorkflow(JSON.parse(readFileSync(file)), { strictMode: true });
  for (const e of [...errors, ...warnings]) {
    console.log(`${file}: ${e.nodeName ?? ''}: ${e.code}: ${e.message}`);
    process.exitCode = 1;
  }
  if (!valid) process.exitCode = 1;
}
