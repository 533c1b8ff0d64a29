// OpenAPI 3.1 of everything that is plain HTTP: the lease path by signed requests (PROTOCOL 13) and the pages for operators.
import {
  HttpChallenge,
  HttpHead,
  httpRequests,
  httpStatusOf,
  Nonce,
  requestHeaders,
  requests,
  TokenText,
} from '../../dist/index.js';
import { Components, errorTable, license, version } from './schemas.js';

const json = (schema) => ({ 'application/json': { schema } });

/** What any signed request can be answered with (PROTOCOL 13.3), beyond the errors of its message. */
const general = [
  ...['CHALLENGE_STALE', 'SIGNATURE_INVALID', 'DEVICE_UNKNOWN', 'REQUEST_REPLAYED', 'FRAME_INVALID'],
  ...['DRAINING', 'RATE_LIMITED', 'BUSY', 'NOT_ALLOWED', 'PARAMS_INVALID', 'INTERNAL'],
];

/** Refused before the request was read: not signed. */
const unread = {
  400: 'HEADERS_INVALID',
  403: 'ORIGIN_REFUSED',
  404: 'PATH_UNKNOWN',
  405: 'METHOD_REFUSED',
  413: 'BODY_TOO_LARGE',
  414: 'URL_TOO_LONG',
  415: 'CONTENT_TYPE_REFUSED',
  429: 'TOO_MANY_REQUESTS',
};

const texts = {
  device: 'The lease key of the device, which signs.',
  challenge: 'The nonce of GET /v1/challenge, or the one the last answer brought.',
  nonce: '16 random bytes in base64url, made anew for every request that is sent.',
  signature: 'Ed25519 over the eight fields of PROTOCOL.md 13.2.',
};

function signedRequest(components, { method, params, result, text }) {
  const codes = [...new Set([...general, ...requests[method].errors])];
  return {
    post: {
      operationId: method.replace('.', '_'),
      summary: text,
      description: `The message \`${method}\` of PROTOCOL.md section 7, as section 13 says. ${requests[method].text}`,
      parameters: Object.entries(requestHeaders).map(([member, name]) => ({
        name,
        in: 'header',
        required: true,
        description: texts[member],
        schema: components.of(HttpHead.properties[member]),
      })),
      requestBody: { required: true, content: json(components.of(params)) },
      responses: {
        200: { ...answered(components, 'Done.'), content: json(components.of(result)) },
        ...refusals(components, codes),
      },
    },
  };
}

function answered(components, description) {
  return {
    description,
    headers: {
      [requestHeaders.signature]: {
        description:
          'Ed25519 by the server over the ten fields of PROTOCOL.md 13.2. An answer without one proves nothing.',
        schema: components.of(HttpHead.properties.signature),
      },
      [requestHeaders.challenge]: {
        description: 'The challenge for the next request.',
        schema: components.of(HttpHead.properties.challenge),
      },
    },
  };
}

function refusals(components, codes) {
  const statuses = new Set([...codes.map(httpStatusOf), ...Object.keys(unread).map(Number)]);
  return Object.fromEntries(
    [...statuses]
      .sort((a, b) => a - b)
      .map((status) => {
        const here = [
          ...codes.filter((code) => httpStatusOf(code) === status),
          ...(unread[status] ? [unread[status]] : []),
        ];
        const headers = {
          ...answered(components, '').headers,
          'Retry-After': {
            description: 'Seconds until the same question makes sense again.',
            schema: { type: 'integer' },
          },
        };
        return [status, { description: here.join(', '), headers, content: json(components.ref('Refusal')) }];
      }),
  );
}

const page = (summary, responses, parameters = []) => ({
  get: { operationId: summary.id, summary: summary.text, parameters, responses },
});

function pages(components) {
  const health = {
    type: 'object',
    required: ['status', 'reason'],
    properties: { status: { enum: ['ok', 'unavailable'] }, reason: { type: 'string' } },
  };
  const health200 = { 200: { description: 'It is so.', content: json(health) } };
  const health503 = { 503: { description: 'It is not.', content: json(health) } };
  const nonce = { name: 'nonce', in: 'query', required: true, schema: components.of(Nonce) };
  const authority = {
    type: 'object',
    required: ['ca', 'token'],
    properties: { ca: { type: 'string', description: 'PEM.' }, token: components.of(TokenText) },
  };
  return {
    '/ca': page(
      { id: 'authority', text: 'The certificate authority, signed by the server key (PROTOCOL.md 2.2).' },
      {
        200: { description: 'The authority and the token that proves it.', content: json(authority) },
        400: { description: 'NONCE_INVALID', content: json(components.ref('Refusal')) },
      },
      [nonce],
    ),
    '/livez': page({ id: 'live', text: 'Whether the process should go on.' }, { ...health200, ...health503 }),
    '/readyz': page({ id: 'ready', text: 'Whether the server serves.' }, { ...health200, ...health503 }),
    '/metrics': page(
      { id: 'metrics', text: 'Figures for Prometheus.' },
      {
        200: {
          description: 'In the text format.',
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
      },
    ),
  };
}

export function openApi() {
  const components = new Components();
  const challenge = page(
    { id: 'challenge', text: 'The challenge that signed requests answer (PROTOCOL.md 13.1).' },
    { 200: { description: 'The challenge.', content: json(components.of(HttpChallenge)) } },
  );
  const paths = {
    '/v1/challenge': challenge,
    ...Object.fromEntries(
      Object.entries(httpRequests).map(([path, row]) => [path, signedRequest(components, row)]),
    ),
    ...pages(components),
  };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Berth over plain HTTPS',
      version,
      description:
        'Written from the message table by protocol/scripts/api-documents.js. PROTOCOL.md is the text that counts: signatures, tokens and time cannot be said here.',
      license,
    },
    servers: [
      {
        url: 'https://{host}:{port}',
        description: 'TLS 1.3, with the authority that GET /ca proves.',
        variables: { host: { default: 'berth.example' }, port: { default: '7433' } },
      },
    ],
    // Requests are signed one by one; no scheme of OpenAPI says that.
    security: [],
    paths,
    components: { schemas: { ...components.schemas, Refusal: refusalSchema() } },
    'x-berth-errors': errorTable,
  };
}

/** Refusals before the request was read have words of their own (PROTOCOL.md 2.1). */
function refusalSchema() {
  return {
    type: 'object',
    description: 'Every refusal over HTTP. Further members explain it: PROTOCOL.md 3.3.',
    required: ['code', 'message', 'next'],
    properties: {
      code: { anyOf: [{ $ref: '#/components/schemas/ErrorCode' }, { type: 'string' }] },
      message: { type: 'string' },
      next: { type: 'string' },
    },
    additionalProperties: true,
  };
}
