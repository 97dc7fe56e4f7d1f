import { createSocket } from 'node:dgram';

/** `stream.js FROM TO PORT`, at a client: a datagram every millisecond, until its input closes. */
const [, , from, to, port] = process.argv;
const socket = createSocket('udp4');
socket.bind({ address: from ?? '', port: 0 }, () => {
  setInterval(() => socket.send('.', Number(port), to ?? ''), 1);
});
// No answer comes; an ICMP error while nobody listens is no reason to stop.
socket.on('error', () => {});
process.stdin.on('end', () => process.exit(0)).resume();
