// A program: call all that the official TypeScript SDK can do against the emulator, over HTTP.
//
// Usage: node official_typescript.cjs FOLDER_OF_THE_SDK. The environment has the addresses and the credentials, as
// `python -m pinecone_admin.emulator --format env` prints them, and EMULATOR_CONTROL_URL.
'use strict';
const assert = require('node:assert/strict');
const net = require('node:net');
const { createRequire } = require('node:module');

const { AdminClient, Pinecone, Errors } = createRequire(`${process.argv[2]}/package.json`)('@pinecone-database/pinecone');
const { PINECONE_CONTROLLER_HOST: host, PINECONE_OAUTH_URL: oauthUrl, EMULATOR_CONTROL_URL: control } = process.env;

// Every connection of the process goes through here; one beyond this machine ends it.
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const { host: address } = net._normalizeArgs(args)[0];
  if (address && !address.startsWith('127.')) {
    console.error(`beyond this machine: ${address}`);
    process.exit(70);
  }
  return connect.apply(this, args);
};

// The SDK takes the address of the API, but has that of the token endpoint built in.
const fetchApi = (url, init) => fetch(String(url).replace('https://login.pinecone.io/oauth/token', oauthUrl), init);
const admin = new AdminClient({ controllerHostUrl: host, fetchApi });
const member = { resourceType: 'organization', role: 'OrgMember' };

async function useOrganizations() {
  const [{ id }] = (await admin.organizations.list()).data;
  assert.equal((await admin.organizations.update(id, { name: 'Acme' })).name, 'Acme');
  assert.equal((await admin.organizations.describe(id)).name, 'Acme');
  return id;
}

async function useProjects() {
  const project = await admin.projects.create({ name: 'search' });
  assert.equal((await admin.projects.update(project.id, { name: 'new' })).name, 'new');
  assert.equal((await admin.projects.describe(project.id)).name, 'new');
  assert.deepEqual((await admin.projects.list()).data.map(({ id }) => id), [project.id]);
  return project.id;
}

async function useApiKeys(projectId) {
  const { key, value } = await admin.apiKeys.create(projectId, { name: 'ci' });
  assert.match(value, /^pcsk_/);
  assert.deepEqual(key.roles, ['ProjectEditor']);
  assert.equal((await admin.apiKeys.update(key.id, { name: 'new' })).name, 'new');
  assert.equal((await admin.apiKeys.describe(key.id)).name, 'new');
  assert.deepEqual((await admin.apiKeys.list(projectId)).data.map(({ id }) => id), [key.id]);
  await useControlPlane(projectId, new Pinecone({ apiKey: value, controllerHostUrl: host }));
  // The SDK adds nothing to a given address, but assistants are below /assistant.
  await useAssistants(new Pinecone({ apiKey: value, controllerHostUrl: `${host}/assistant` }));
  await send('POST', 'clock/advance', { seconds: 60 });
  await admin.apiKeys.delete(key.id);
}

async function useMembers(projectId) {
  const invite = await admin.invites.create({ email: 'a@example.com', roleBindings: [member] });
  const other = await admin.invites.create({ email: 'b@example.com', roleBindings: [member] });
  assert.equal((await admin.invites.resend(invite.id)).status, 'pending');
  const page = await admin.invites.list({ limit: 1 });
  const rest = await admin.invites.list({ limit: 1, paginationToken: page.pagination.next });
  assert.deepEqual([...page.data, ...rest.data].map(({ id }) => id), [invite.id, other.id]);
  await admin.invites.delete(other.id);
  await send('POST', `invites/${invite.id}/accept`, { name: 'Alice' });
  assert.equal((await admin.invites.describe(invite.id)).status, 'processed');

  const [user] = (await admin.users.list({ email: 'A@example.com' })).data;
  assert.equal((await admin.users.describe(user.id)).name, 'Alice');
  const wanted = { principalType: 'user', principalId: user.id, resourceType: 'project', resourceId: projectId };
  const binding = await admin.roleBindings.create({ ...wanted, role: 'ProjectEditor' });
  assert.equal((await admin.roleBindings.describe(binding.id)).role, 'ProjectEditor');
  assert.equal((await admin.roleBindings.list({ principalType: 'user', principalId: user.id })).data.length, 2);
  await admin.roleBindings.delete(binding.id);
  await admin.users.delete(user.id);
}

async function useServiceAccounts() {
  const { serviceAccount, clientSecret } = await admin.serviceAccounts.create({ name: 'ci', roleBindings: [member] });
  const { id, clientId } = serviceAccount;
  assert.equal((await admin.serviceAccounts.update(id, { name: 'new' })).name, 'new');
  assert.equal((await admin.serviceAccounts.describe(id)).clientId, clientId);
  assert.notEqual((await admin.serviceAccounts.rotateSecret(id)).clientSecret, clientSecret);
  assert.equal((await admin.serviceAccounts.list()).data.length, 2);
  await admin.serviceAccounts.delete(id);
}

async function useControlPlane(projectId, client) {
  const schema = { fields: { embedding: { type: 'dense_vector', dimension: 4, metric: 'cosine' } } };
  const deployment = { deploymentType: 'managed', cloud: 'aws', region: 'us-east-1' };
  for (const name of ['articles', 'gone']) await client.indexes.create({ name, schema, deployment, waitUntilReady: true });
  await client.indexes.configure('articles', { tags: { team: 'search' }, deletionProtection: 'enabled' });
  await client.indexes.configure('articles', { deletionProtection: 'disabled' });
  assert.deepEqual((await client.indexes.describe('articles')).tags, { team: 'search' });
  await client.indexes.delete('gone');
  assert.ok((await client.indexes.list()).indexes.some(({ name }) => name === 'articles'));

  const backup = await client.backups.create('articles', { name: 'weekly' });
  assert.equal((await client.backups.describe(backup.backupId)).name, 'weekly');
  assert.equal((await client.backups.listByIndex('articles')).data.length, 1);
  assert.equal((await client.backups.list()).data.length, 1);
  await client.backups.delete(backup.backupId);

  // This version of the API creates no pod-based index, of which alone a collection could be made.
  await assert.rejects(client.collections.create({ name: 'x', source: 'articles' }), Errors.PineconeBadRequestError);
  await send('PUT', `projects/${projectId}/collections/archive`);
  assert.equal((await client.collections.describe('archive')).status, 'Ready');
  assert.equal((await client.collections.list()).collections.length, 1);
  await client.collections.delete('archive');
  await client.indexes.delete('articles');
}

async function useAssistants(client) {
  await client.assistants.create({ name: 'helper', instructions: 'Be brief.', metadata: { a: 1, b: 2 } });
  assert.equal((await client.assistants.update({ name: 'helper', metadata: { c: 3 } })).assistantName, 'helper');
  assert.deepEqual((await client.assistants.describe('helper')).metadata, { c: 3 });
  assert.equal((await client.assistants.list()).assistants.length, 1);
  await client.assistants.delete('helper');
}

async function useRefusals() {
  const nobody = '4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60';
  await assert.rejects(admin.projects.describe(nobody), Errors.PineconeNotFoundError);
  await assert.rejects(admin.projects.create({ name: 'pods', maxPods: 1 }), Errors.PineconeBadRequestError);
  const stranger = new AdminClient({ clientId: 'x', clientSecret: 'y', controllerHostUrl: host, fetchApi });
  await assert.rejects(stranger.projects.list(), Errors.PineconeAuthorizationError);
}

async function send(method, path, body) {
  const response = await fetch(`${control}/${path}`, { method, body: body && JSON.stringify(body) });
  assert.ok(response.ok, await response.text());
}

async function main() {
  const organizationId = await useOrganizations();
  const projectId = await useProjects();
  await useApiKeys(projectId);
  await useMembers(projectId);
  await useServiceAccounts();
  await useRefusals();
  await admin.projects.delete(projectId);
  await send('PATCH', 'settings', { plan: 'Free' });
  await admin.organizations.delete(organizationId);
}

main();
