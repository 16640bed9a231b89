// A program: create, list and delete with the official TypeScript SDK, as users' code does.
//
// Usage: node official_unmodified.cjs FOLDER_OF_THE_SDK, where the production addresses lead to the emulator.
'use strict';
const assert = require('node:assert/strict');
const { createRequire } = require('node:module');

const { AdminClient, Pinecone } = createRequire(`${process.argv[2]}/package.json`)('@pinecone-database/pinecone');

async function main() {
  const admin = new AdminClient();
  const project = await admin.projects.create({ name: 'search' });
  assert.deepEqual((await admin.projects.list()).data.map(({ id }) => id), [project.id]);
  const { key, value } = await admin.apiKeys.create(project.id, { name: 'ci' });
  assert.deepEqual((await admin.apiKeys.list(project.id)).data.map(({ id }) => id), [key.id]);
  await useIndexes(new Pinecone({ apiKey: value }));
  await admin.apiKeys.delete(key.id);
  await admin.projects.delete(project.id);
  assert.deepEqual((await admin.projects.list()).data, []);
}

async function useIndexes(client) {
  const spec = { serverless: { cloud: 'aws', region: 'us-east-1' } };
  await client.createIndex({ name: 'articles', dimension: 4, spec });
  assert.deepEqual((await client.listIndexes()).indexes.map(({ name }) => name), ['articles']);
  await client.deleteIndex('articles');
  // Until then, it is being deleted, and the project cannot be.
  const url = `${process.env.PINECONE_EMULATOR_CONTROL_URL}/clock/advance`;
  assert.ok((await fetch(url, { method: 'POST', body: '{"seconds": 60}' })).ok);
}

main();
