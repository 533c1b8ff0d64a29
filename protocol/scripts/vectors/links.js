// Join links, addresses and keys as people copy them (PROTOCOL 2.2).
import { base64Url, server } from './keys.js';

const key = server.text;
const token = 'inv-0123456789abcdef';
const link = (changes) => ({ host: 'licences.example.com', port: 7433, serverKey: key, token, ...changes });
const base = `berth://licences.example.com:7433/?key=${key}&token=${token}`;

const links = [
  { name: 'as the server prints it', text: base, link: link(), canonical: true },
  {
    name: 'an IPv4 address',
    text: base.replace('licences.example.com', '192.0.2.7'),
    link: link({ host: '192.0.2.7' }),
    canonical: true,
  },
  {
    name: 'an IPv6 address',
    text: base.replace('licences.example.com', '[2001:db8::7]'),
    link: link({ host: '2001:db8::7' }),
    canonical: true,
  },
  {
    name: 'another port',
    text: base.replace('7433', '443'),
    link: link({ port: 443 }),
    canonical: true,
  },
  { name: 'no port means 7433', text: base.replace(':7433', ''), link: link() },
  { name: 'no slash before the question mark', text: base.replace('/?', '?'), link: link() },
  { name: 'white space around it', text: `  ${base}\r\n`, link: link() },
  {
    name: 'the other order',
    text: `berth://licences.example.com:7433/?token=${token}&key=${key}`,
    link: link(),
  },
  { name: 'a colon that a mailer escaped', text: base.replace('ed25519:', 'ed25519%3A'), link: link() },
  { name: 'a parameter of a later version', text: `${base}&name=Studio`, link: link() },
  { name: 'empty', text: '', link: null },
  { name: 'https', text: base.replace('berth:', 'https:'), link: null },
  { name: 'no host', text: base.replace('licences.example.com:7433', ''), link: null },
  { name: 'port 0', text: base.replace('7433', '0'), link: null },
  { name: 'port 65536', text: base.replace('7433', '65536'), link: null },
  { name: 'a user in the address', text: base.replace('berth://', 'berth://me@'), link: null },
  { name: 'a path', text: base.replace('/?', '/join?'), link: null },
  { name: 'no key', text: base.replace(/key=[^&]+&/, ''), link: null },
  {
    name: 'a key of 31 bytes',
    text: base.replace(key, `ed25519:${base64Url(Buffer.alloc(31))}`),
    link: null,
  },
  { name: 'a key without its prefix', text: base.replace('ed25519:', ''), link: null },
  {
    name: 'a secret key in place of a public one',
    text: base.replace('ed25519:', 'ed25519-secret:'),
    link: null,
  },
  { name: 'no token', text: base.replace(/&token=.+/, ''), link: null },
  { name: 'a token that was cut off', text: base.slice(0, -10), link: null },
  { name: 'a token with other characters', text: `${base}"`, link: null },
  { name: 'two keys', text: `${base}&key=${key}`, link: null },
  { name: 'a space inside', text: base.replace('&', ' &'), link: null },
];

const addresses = [
  { text: 'licences', address: { host: 'licences', port: 7433 } },
  { text: 'licences:8443', address: { host: 'licences', port: 8443 } },
  { text: ' 192.0.2.7 ', address: { host: '192.0.2.7', port: 7433 } },
  { text: '[::1]', address: { host: '::1', port: 7433 } },
  { text: '[::1]:443', address: { host: '::1', port: 443 } },
  { text: '::1', address: null },
  { text: '', address: null },
  { text: ':7433', address: null },
  { text: 'licences:', address: null },
  { text: 'licences:99999', address: null },
  { text: 'https://licences', address: null },
  { text: 'licences/', address: null },
];

const keys = [
  { text: key, public: server.publicBytes.toString('hex') },
  { text: ` ${key}\n`, public: server.publicBytes.toString('hex') },
  { text: `${key}=`, public: null },
  { text: key.slice(0, -1), public: null },
  { text: key.replace('ed25519', 'ED25519'), public: null },
  { text: key.replace('ed25519', 'ed25519-secret'), public: null },
  // The last character has two unused bits; set, they would make a second spelling of the key.
  { text: `ed25519:${'A'.repeat(42)}B`, public: null },
  { text: `ed25519:${'A'.repeat(42)}E`, public: `${'00'.repeat(31)}01` },
];

export const linkVectors = () => ({
  note: 'Text -> what it says, or null when it must be refused. `canonical`: writing the parts gives the same text again.',
  links: links.map(({ name, text, link: parts, canonical = false }) => ({
    name,
    text,
    link: parts,
    canonical,
  })),
  addresses,
  keys,
});
