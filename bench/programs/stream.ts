import { createSocket } from 'node:dgram';

/** `stream.js FROM TO PORT`, at a client: a numbered datagram every millisecond, until its input closes. */
const [, , from, to, port] = process.argv;
const socket = createSocket('udp4');
let number = 0;
const send = (): void => {
  const datagram = Buffer.alloc(4);
  datagram.writeUInt32BE(number++);
  socket.send(datagram, Number(port), to ?? '');
};
socket.bind({ address: from ?? '', port: 0 }, () => {
  setInterval(send, 1);
});
// No answer comes; an ICMP error while nobody listens is no reason to stop.
socket.on('error', () => {});
process.stdin.on('end', () => process.exit(0)).resume();
