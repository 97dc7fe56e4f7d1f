/** Answers every datagram and every chunk of a TCP connection with its text and where it came from. Argument: a port. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const port = Number(process.argv[2]);

const datagrams = createSocket('udp4');
datagrams.on('message', (data, from) => {
  datagrams.send(`${data} ${from.address} ${from.port}`, from.port, from.address);
});
datagrams.bind(port);

const connections = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (data) => socket.write(`${data} ${socket.remoteAddress} ${socket.remotePort}`));
});
connections.listen(port, '0.0.0.0');
