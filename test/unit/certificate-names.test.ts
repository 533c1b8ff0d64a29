import { certificateNames } from '@berth/server/transport/certificate-names';
import { describe, expect, test } from 'vitest';

describe('certificateNames', () => {
  const host = {
    hostname: 'Farm-01.',
    addresses: ['10.0.0.9', '10.0.0.10', 'fe80::1', 'fe80::2%eth0', '2001:DB8::0:7', '::1'],
  };

  test('advertised first, then loopback, the host and its addresses, each once', () => {
    const names = certificateNames({
      listenHosts: ['0.0.0.0'],
      advertise: ['lic.example', '10.0.0.9'],
      host,
    });
    expect(names).toEqual([
      'lic.example',
      '10.0.0.9',
      'localhost',
      '127.0.0.1',
      '::1',
      'farm-01',
      '10.0.0.10',
      '2001:db8::7',
    ]);
  });

  test('the address listened on counts, unless it is any address', () => {
    const listening = (listenHost: string) =>
      certificateNames({ listenHosts: [listenHost], advertise: [], host })[0];
    expect(listening('192.0.2.1')).toBe('192.0.2.1');
    expect(listening('::')).toBe('localhost');
    expect(listening('0.0.0.0')).toBe('localhost');
  });

  test('the order of interfaces changes nothing', () => {
    const reversed = { ...host, addresses: [...host.addresses].reverse() };
    const names = (facts: typeof host) =>
      certificateNames({ listenHosts: ['::'], advertise: [], host: facts });
    expect(names(reversed)).toEqual(names(host));
  });

  test('a host with very many addresses keeps the advertised ones', () => {
    const addresses = Array.from({ length: 5000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
    const names = certificateNames({
      listenHosts: ['::'],
      advertise: ['z.example'],
      host: { hostname: 'a', addresses },
    });
    expect(names).toHaveLength(128);
    expect(names[0]).toBe('z.example');
  });

  test('this machine', () => {
    const names = certificateNames({ listenHosts: ['0.0.0.0'], advertise: [] });
    expect(names).toEqual(expect.arrayContaining(['localhost', '127.0.0.1', '::1']));
  });
});
