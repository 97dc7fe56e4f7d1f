import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { check, type Row } from './complaints.ts';
import { changed } from './sample.ts';

/** Services before the sample's last section, from line 20 on. */
const publish = (...services: readonly string[]): string =>
  ['    snat: [192.168.1.5]', 'publish:', ...services.map((service) => `  ${service}`)].join('\n');

const row = (services: readonly string[], ...errors: readonly string[]): Row => [
  18,
  publish(...services),
  ...errors,
];

test('services have their ports, by default the same at the server', () => {
  const text = changed(
    18,
    publish(
      'web: { protocol: tcp, address: 192.168.1.5, port: 443, to: 192.168.0.80, toPort: 8443 }',
      'dns: { protocol: udp, address: 192.168.1.5, port: "53", to: 192.168.0.53 }',
      'games: { protocol: udp, port: 50000-50100, to: 192.168.0.81 }',
    ),
  );
  expect(parseConfig(text, 'c.yaml').publish).toEqual([
    {
      name: 'web',
      protocol: 'tcp',
      address: '192.168.1.5',
      ports: { first: 443, last: 443 },
      to: '192.168.0.80',
      toPorts: { first: 8443, last: 8443 },
    },
    {
      name: 'dns',
      protocol: 'udp',
      address: '192.168.1.5',
      ports: { first: 53, last: 53 },
      to: '192.168.0.53',
      toPorts: { first: 53, last: 53 },
    },
    {
      name: 'games',
      protocol: 'udp',
      address: undefined,
      ports: { first: 50000, last: 50100 },
      to: '192.168.0.81',
      toPorts: { first: 50000, last: 50100 },
    },
  ]);
});

test('high ports of an address that nothing is translated to, and IPv6, may be published', () => {
  const text = changed(13, '    addresses: [192.168.0.5/24, "fd00::5/64"]').replace(
    '    addresses: [192.168.1.5/24]\n    snat: [192.168.1.5]',
    `    addresses: [192.168.1.5/24, 192.168.1.6/24, "fd00:1::5/64"]\n${publish(
      'a: { protocol: tcp, address: 192.168.1.6, port: 8000-8010, to: 192.168.0.80, toPort: "8000-8010" }',
      'b: { protocol: tcp, address: "FD00:1::5", port: 443, to: "fd00:0::80" }',
    )}`,
  );
  expect(parseConfig(text, 'c.yaml').publish.map(({ address, to }) => [address, to])).toEqual([
    ['192.168.1.6', '192.168.0.80'],
    ['fd00:1::5', 'fd00::80'],
  ]);
});

const SERVICE = 'use { protocol: tcp, address: 192.168.1.5, port: 443, to: 192.168.0.80 }';
const PORT = 'use a port such as 443, or a range such as "50000-50100"';

check('publish: keys', [
  [
    18,
    '    snat: [192.168.1.5]\npublish: [web]',
    `19:10: publish: a list is not a map; use { web: { protocol: tcp, address: 192.168.1.5, port: 443, to: 192.168.0.80 } }`,
  ],
  row(['web:'], `20:7: publish.web: is empty; ${SERVICE}`),
  row(
    ['web: {}'],
    '20:3: publish.web.protocol: is missing; use tcp or udp',
    `20:3: publish.web.port: is missing; ${PORT}`,
    '20:3: publish.web.to: is missing; use an address such as 192.168.1.5 or "fd00:1::5"',
  ),
  row(
    ['web: { protocol: quic, ports: 443, to: 192.168.0.80 }'],
    '20:20: publish.web.protocol: "quic" is not known here; use tcp or udp',
    '20:26: publish.web.ports: is not a known key; did you mean port?',
  ),
  row(
    ['"my web": { protocol: tcp, port: 443, to: 192.168.0.80 }'],
    '20:3: publish.my web: "my web" can\'t name a service; use letters, digits and . _ -, at most 63, such as web',
  ),
  ...['0', '65536', '-1', '4.5', '"80-"', 'http', '[443]', '"1-65536"', '"080"'].map((port) => {
    const shown = port === 'http' ? '"http"' : port === '[443]' ? 'a list' : port;
    return row(
      [`web: { protocol: tcp, port: ${port}, to: 192.168.0.80 }`],
      `20:31: publish.web.port: ${shown} is not a port; ${PORT}`,
    );
  }),
  row(
    ['web: { protocol: tcp, port: 90-80, to: 192.168.0.80 }'],
    `20:31: publish.web.port: "90-80" ends before it begins; ${PORT}`,
  ),
]);

check('publish: addresses', [
  row(
    ['web: { protocol: tcp, port: 443, to: 192.168.2.80 }'],
    "20:40: publish.web.to: 192.168.2.80 is in none of the networks inside; use an address in 192.168.0.0/24, or add the server's network to networks",
  ),
  row(
    ['web: { protocol: tcp, port: 443, to: 192.168.0.5 }'],
    "20:40: publish.web.to: 192.168.0.5 is an address that the nodes share; use the server's own address",
  ),
  row(
    ['web: { protocol: tcp, address: 192.168.1.9, port: 443, to: 192.168.0.80 }'],
    "20:34: publish.web.address: 192.168.1.9 is no shared address, so its packets don't come here; use 192.168.0.5 or 192.168.1.5",
  ),
  row(
    ['web: { protocol: tcp, address: "fd00::5", port: 443, to: 192.168.0.80 }'],
    '20:34: publish.web.address: fd00::5 is an IPv6 address, and to is an IPv4 one; use 192.168.0.5 or 192.168.1.5',
  ),
  row(
    ['web: { protocol: tcp, address: "fe80::5", port: 443, to: 192.168.0.80 }'],
    '20:34: publish.web.address: "fe80::5" is a link-local address, which is another host\'s on every interface; use an address such as 192.168.1.5 or "fd00:1::5"',
  ),
  row(
    ['web: { protocol: tcp, address: 192.168.1.5, port: 443, to: "fd00::80" }'],
    '20:34: publish.web.address: 192.168.1.5 is an IPv4 address, and to is an IPv6 one; give an interface an IPv6 address',
    "20:62: publish.web.to: fd00::80 is in none of the networks inside; use an address in 192.168.0.0/24, or add the server's network to networks",
  ),
]);

test.each([
  ['side: inside', 'side: insid', 'interfaces.eth1.side'],
  ['[192.168.0.5/24]', '[192.168.0.5]', 'interfaces.eth1.addresses[0]'],
  ['[192.168.0.5/24]', '[192.168.0.5/24]\n    networks: 192.168.0.0/16', 'interfaces.eth1.networks'],
  ['[192.168.0.5/24]', '[192.168.0.5/24]\n    networks: [192.168.0.1/16]', 'interfaces.eth1.networks[0]'],
])('what is inside is not known when %s is %s', (right, wrong, path) => {
  const text = changed(18, publish('web: { protocol: tcp, port: 443, to: 192.168.2.80 }')).replace(
    right,
    wrong,
  );
  expect(() => parseConfig(text, 'c.yaml')).toThrow(
    expect.objectContaining({ mistakes: [expect.objectContaining({ path })] }),
  );
});

check('publish: ports', [
  ...['1024', '8443', '1000-2000'].map((port) =>
    row(
      [`web: { protocol: tcp, address: 192.168.1.5, port: ${port}, to: 192.168.0.80 }`],
      `20:53: publish.web.port: ${port}: ports from 1024 up of an address that flows are translated to belong to the buckets; use a port below 1024, or another address than 192.168.1.5`,
    ),
  ),
  row(
    ['web: { protocol: tcp, port: 443, to: 192.168.0.80, toPort: 8443 }'],
    '20:54: publish.web.toPort: needs an address: without one nothing is translated; leave it out, or name the address that clients connect to',
  ),
  ...['"8000-8010"', '"80-91"', '80'].map((toPort) =>
    row(
      [`web: { protocol: tcp, address: 192.168.1.5, port: 80-90, to: 192.168.0.80, toPort: ${toPort} }`],
      `20:86: publish.web.toPort: ${toPort.replaceAll('"', '')} is not the range of port, 80-90, and the kernel doesn't map one range to another port by port; leave it out, or publish each port by itself`,
    ),
  ),
  row(
    [
      'web: { protocol: tcp, address: 192.168.1.5, port: 443, to: 192.168.0.80 }',
      'shop: { protocol: tcp, address: 192.168.1.5, port: 400-500, to: 192.168.0.81 }',
    ],
    "21:54: publish.shop.port: tcp 443 of 192.168.1.5 is web's already; publish it once",
  ),
  row(
    [
      'web: { protocol: tcp, address: 192.168.1.5, port: 443, to: 192.168.0.80, toPort: 8443 }',
      'shop: { protocol: tcp, address: 192.168.1.5, port: 444, to: 192.168.0.80, toPort: 8443 }',
      'mail: { protocol: tcp, port: 8443, to: 192.168.0.80 }',
    ],
    "21:85: publish.shop.toPort: tcp 8443 of 192.168.0.80 is web's already; publish it once",
    "22:32: publish.mail.port: tcp 8443 of 192.168.0.80 is web's already; publish it once",
  ),
  row([
    'web: { protocol: tcp, address: 192.168.1.5, port: 443, to: 192.168.0.80 }',
    'quic: { protocol: udp, address: 192.168.1.5, port: 443, to: 192.168.0.80 }',
    'other: { protocol: tcp, address: 192.168.1.5, port: 442, to: 192.168.0.80 }',
  ]),
]);
