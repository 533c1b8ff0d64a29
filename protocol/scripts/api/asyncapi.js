// AsyncAPI 3.0 of the two WebSocket paths: every request with its result and its errors, and every push, seen from the server.
import { closeCodes, paths, pushes, requests, SUBPROTOCOL } from '../../dist/index.js';
import { Components, errorTable, license, version } from './schemas.js';

const general = [
  ...['FRAME_INVALID', 'REQUEST_INVALID', 'DRAINING', 'RATE_LIMITED', 'BUSY', 'METHOD_UNKNOWN'],
  ...['SESSION_REQUIRED', 'NOT_ALLOWED', 'PARAMS_INVALID', 'DEVICE_UNKNOWN', 'INTERNAL'],
];

const frame = (properties, required) => ({
  type: 'object',
  required: ['jsonrpc', ...required],
  properties: { jsonrpc: { const: '2.0' }, ...properties },
});

const id = { anyOf: [{ type: 'integer' }, { type: 'string', maxLength: 64 }] };
const correlationId = { location: '$message.payload#/id' };

function requestMessages(components, method, { params, result, errors, text }) {
  const codes = [...new Set([...general, ...errors])];
  const message = (title, summary, payload) => ({
    name: method,
    title,
    summary,
    contentType: 'application/json',
    correlationId,
    payload,
  });
  return {
    [method]: message(
      method,
      text,
      frame({ id, method: { const: method }, params: components.of(params) }, ['id', 'method']),
    ),
    [`${method}.result`]: message(
      `${method}: result`,
      'The answer.',
      frame({ id, result: components.of(result) }, ['id', 'result']),
    ),
    [`${method}.error`]: message(
      `${method}: error`,
      'A refusal, or a failure.',
      frame({ id, error: errorSchema(codes) }, ['id', 'error']),
    ),
  };
}

function errorSchema(codes) {
  return {
    type: 'object',
    required: ['code', 'message', 'data'],
    properties: {
      code: { type: 'integer' },
      message: { type: 'string' },
      data: {
        type: 'object',
        required: ['code', 'next'],
        properties: { code: { type: 'string', enum: codes }, next: { type: 'string' } },
        additionalProperties: true,
      },
    },
  };
}

function pushMessage(components, name, { params, text }) {
  const payload = frame({ method: { const: name }, params: components.of(params) }, ['method', 'params']);
  return { name, title: name, summary: text, contentType: 'application/json', payload };
}

const messageRef = (name) => ({ $ref: `#/components/messages/${name}` });
const channelMessage = (path, name) => ({ $ref: `#/channels/${path}/messages/${name}` });

function channel(path, messages) {
  const names = [
    ...Object.entries(requests)
      .filter(([, row]) => row.paths.includes(path))
      .flatMap(([method]) => [method, `${method}.result`, `${method}.error`]),
    ...Object.entries(pushes).flatMap(([name, row]) => (row.paths.includes(path) ? [name] : [])),
  ];
  return {
    address: paths[path],
    description: `JSON-RPC 2.0 frames as text on the subprotocol ${SUBPROTOCOL}.`,
    messages: Object.fromEntries(
      names.filter((name) => name in messages).map((name) => [name, messageRef(name)]),
    ),
    bindings: { ws: { method: 'GET' } },
  };
}

function operations(path) {
  const asked = Object.entries(requests).flatMap(([method, row]) =>
    row.paths.includes(path)
      ? [
          [
            `${path}.${method}`,
            {
              action: 'receive',
              channel: { $ref: `#/channels/${path}` },
              summary: row.text,
              description: `Least role: ${row.least}. Changes: ${row.changes ? 'yes, with an idempotency key' : 'no'}.`,
              messages: [channelMessage(path, method)],
              reply: {
                channel: { $ref: `#/channels/${path}` },
                messages: [channelMessage(path, `${method}.result`), channelMessage(path, `${method}.error`)],
              },
            },
          ],
        ]
      : [],
  );
  const pushed = Object.entries(pushes).flatMap(([name, row]) =>
    row.paths.includes(path)
      ? [
          [
            `${path}.${name}`,
            {
              action: 'send',
              channel: { $ref: `#/channels/${path}` },
              summary: row.text,
              messages: [channelMessage(path, name)],
            },
          ],
        ]
      : [],
  );
  return [...asked, ...pushed];
}

export function asyncApi() {
  const components = new Components();
  const messages = Object.assign(
    {},
    ...Object.entries(requests).map(([method, row]) => requestMessages(components, method, row)),
    ...Object.entries(pushes).map(([name, row]) => ({ [name]: pushMessage(components, name, row) })),
  );
  const pathNames = Object.keys(paths);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Berth over WebSockets',
      version,
      description:
        'Written from the message table by protocol/scripts/api-documents.js. PROTOCOL.md is the text that counts: signatures, tokens and time cannot be said here.',
      license,
    },
    defaultContentType: 'application/json',
    servers: {
      berthd: {
        host: '{host}:{port}',
        protocol: 'wss',
        protocolVersion: '13',
        variables: { host: { default: 'berth.example' }, port: { default: '7433' } },
      },
    },
    channels: Object.fromEntries(pathNames.map((path) => [path, channel(path, messages)])),
    operations: Object.fromEntries(pathNames.flatMap(operations)),
    components: { schemas: components.schemas, messages },
    'x-berth-errors': errorTable,
    'x-berth-close-codes': closeCodes,
  };
}
