// Publishes every workflow of an n8n database that is not running, or says
// whether a running n8n has made all published ones live.
//
//   node database.js publish FILE
//   node database.js settled FILE      prints yes or no
//   node database.js find FILE TEXT    prints every table.column that holds a text
//
// One statement does what n8n's own publish command does in four seconds of CPU
// each. The tables are n8n's inner affair: that is why its version is pinned.
const { DatabaseSync } = require('node:sqlite');

const [command, file, text] = process.argv.slice(2);
const db = new DatabaseSync(file, { timeout: 5000 });

const waiting = `
  select count(*) as n from workflow_entity w left join workflow_published_version p on p.workflowId = w.id
  where coalesce(p.publishedVersionId, '') <> coalesce(w.activeVersionId, '')`;
const queued = `select count(*) as n from workflow_publication_outbox where status not in ('completed', 'failed')`;

if (command === 'publish') {
  db.exec('update workflow_entity set active = 1, activeVersionId = versionId');
} else if (command === 'settled') {
  console.log(db.prepare(waiting).get().n + db.prepare(queued).get().n === 0 ? 'yes' : 'no');
} else if (command === 'find') {
  const name = (s) => '"' + s.replaceAll('"', '""') + '"';
  for (const { name: table } of db.prepare("select name from sqlite_master where type = 'table'").all()) {
    for (const { name: column } of db.prepare(`pragma table_info(${name(table)})`).all()) {
      if (db.prepare(`select 1 from ${name(table)} where instr(${name(column)}, ?) > 0 limit 1`).get(text)) console.log(`${table}.${column}`);
    }
  }
} else {
  console.error('usage: node database.js publish|settled|find FILE [TEXT]');
  process.exit(2);
}
