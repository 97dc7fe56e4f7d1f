/**
 * Answers every datagram and every chunk of a TCP connection with its text and where it came from. Arguments: a port, and
 * the addresses to listen on, 0.0.0.0 by default.
 */
import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';

const [port, ...addresses] = process.argv.slice(2);

const answer = (address: string): void => {
  const datagrams = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  datagrams.on('message', (data, from) => {
    datagrams.send(`${data} ${from.address} ${from.port}`, from.port, from.address);
  });
  datagrams.bind(Number(port), address);

  const connections = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => socket.write(`${data} ${socket.remoteAddress} ${socket.remotePort}`));
  });
  connections.listen(Number(port), address);
};

for (const address of addresses.length === 0 ? ['0.0.0.0'] : addresses) answer(address);
