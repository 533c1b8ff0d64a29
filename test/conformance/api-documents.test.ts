import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import {
  CHALLENGE_PATH,
  checkHttpParams,
  checkParams,
  errors,
  httpRequests,
  type Method,
  paths,
  pushes,
  requests,
} from '@berth/protocol';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { documentText, exampleFrames } from './document.js';
import { protocolFolder } from './vectors.js';

// openapi.json and asyncapi.json: generated, valid by the standards' own schemas, and complete.

// What stands in them, each expectation says itself.
type Json = ReturnType<typeof JSON.parse>;
const read = (name: string): Json => JSON.parse(readFileSync(new URL(name, protocolFolder), 'utf8'));
const [openApi, asyncApi] = [read('openapi.json'), read('asyncapi.json')];

test('they are what the generator writes', () => {
  const script = fileURLToPath(new URL('scripts/api-documents.js', protocolFolder));
  execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8', stdio: 'pipe' });
});

test('openapi.json is valid by the schema of OpenAPI 3.1', async () => {
  expect(await new Validator().validate(structuredClone(openApi))).toMatchObject({ valid: true });
  const broken = { ...openApi, paths: { '/x': { post: { responses: 1 } } } };
  expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
});

test('asyncapi.json is valid by the schema of AsyncAPI 3.0', () => {
  const schema: Json = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0.json');
  const ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
  const validate = ajv.compile(schema);
  expect(validate(asyncApi), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
  expect(validate({ ...asyncApi, operations: { x: { action: 'shout' } } })).toBe(false);
});

test.each([
  ['openapi.json', openApi],
  ['asyncapi.json', asyncApi],
])('every reference in %s leads somewhere', (_, document: Json) => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!);
  expect(refs.length).toBeGreaterThan(50);
  for (const path of new Set(refs)) {
    const found = path.split('/').reduce((value: Json, name) => value?.[name], document);
    expect(found, path).toBeDefined();
  }
});

describe('asyncapi.json', () => {
  test('has every request of each path with its result and its errors, and nothing else', () => {
    for (const [path, address] of Object.entries(paths)) {
      const channel = asyncApi.channels[path];
      expect(channel.address).toBe(address);
      const asked = Object.entries(requests).filter(([, row]) => row.paths.some((name) => name === path));
      const pushed = Object.entries(pushes).filter(([, row]) => row.paths.some((name) => name === path));
      const wanted = asked.flatMap(([method]) => [method, `${method}.result`, `${method}.error`]);
      expect(Object.keys(channel.messages).sort()).toEqual(
        [...wanted, ...pushed.map(([name]) => name)].sort(),
      );
      for (const [method] of asked)
        expect(asyncApi.operations[`${path}.${method}`]).toMatchObject({ action: 'receive' });
      for (const [name] of pushed)
        expect(asyncApi.operations[`${path}.${name}`]).toMatchObject({ action: 'send' });
    }
    const operations = Object.keys(asyncApi.operations).length;
    const rows = [...Object.values(requests), ...Object.values(pushes)];
    expect(operations).toBe(rows.reduce((sum, row) => sum + row.paths.length, 0));
  });

  test('each message lists the errors of its own', () => {
    for (const [method, row] of Object.entries(requests)) {
      const { payload } = asyncApi.components.messages[`${method}.error`];
      expect(payload.properties.error.properties.data.properties.code.enum).toEqual(
        expect.arrayContaining([...row.errors]),
      );
    }
  });

  test('its schemas say of the examples of PROTOCOL.md what the code says', () => {
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ $id: 'doc', components: asyncApi.components });
    const examples = exampleFrames(documentText).map((text) => JSON.parse(text) as Json);
    const named = examples.filter(({ method }) => method !== undefined);
    expect(named.length).toBeGreaterThan(30);
    for (const frame of named) {
      const validate = ajv.compile({ $ref: `doc#/components/messages/${frame.method}/payload` });
      expect(validate(frame), `${frame.method} ${JSON.stringify(validate.errors)}`).toBe(true);
      const broken = { ...frame, params: { ...frame.params, ...wrongly(frame.params) } };
      const accepted = Object.keys(frame.params ?? {}).length === 0;
      expect(validate(broken), frame.method).toBe(accepted);
      if (frame.id !== undefined)
        expect(checkParams(frame.method as Method, broken.params).ok, frame.method).toBe(accepted);
    }
  });
});

/** The first member with a value that no schema of ours allows. */
function wrongly(params: Json): Json {
  const [first] = Object.keys(params ?? {});
  return first === undefined ? {} : { [first]: { wrong: [null] } };
}

describe('openapi.json', () => {
  test('has every path of plain HTTP', () => {
    const pages = ['/ca', '/livez', '/readyz', '/metrics', CHALLENGE_PATH];
    expect(Object.keys(openApi.paths).sort()).toEqual([...Object.keys(httpRequests), ...pages].sort());
  });

  test('a signed request asks for its four headers and lists its errors', () => {
    for (const [path, { method }] of Object.entries(httpRequests)) {
      const { parameters, responses } = openApi.paths[path].post;
      expect(parameters.every(({ required }: Json) => required)).toBe(true);
      expect(parameters).toHaveLength(4);
      const texts = Object.values(responses as Json).map(({ description }: Json) => description);
      for (const code of requests[method].errors) expect(texts.join(' ')).toContain(code);
    }
  });

  test('its schemas judge params as the server does', () => {
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ $id: 'doc', paths: openApi.paths, components: openApi.components });
    const pointer = 'post/requestBody/content/application~1json/schema';
    const renew = ajv.compile({ $ref: `doc#/paths/~1v1~1renew/${pointer}` });
    const nonce = 'DSkwzPd0Qg0CC60Rd2xmeQ';
    const cases = [
      { nonce, leases: ['l1'] },
      { nonce, leases: [] },
      { nonce },
      { nonce: 'x', leases: ['l1'] },
      { nonce, leases: Array.from({ length: 65 }, (_, i) => `l${i}`) },
    ];
    for (const params of cases) expect(renew(params)).toBe(checkHttpParams('/v1/renew', params).ok);
    expect(cases.map((params) => renew(params))).toEqual([true, false, false, false, false]);
  });
});

test('every error of the catalogue is in both', () => {
  for (const document of [openApi, asyncApi]) {
    expect(Object.keys(document['x-berth-errors'])).toEqual(Object.keys(errors));
    expect(document.components.schemas.ErrorCode.enum).toEqual(Object.keys(errors));
  }
});
