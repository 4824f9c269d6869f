import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The least of S3, path-style: PUT, GET and HEAD of objects in memory. */
export class S3Double {
  readonly objects = new Map<string, Buffer>();
  /** Keeps only this many bytes of what is put, as a store that breaks in the middle. */
  keepsBytes = Number.POSITIVE_INFINITY;
  puts = 0;
  private readonly server: Server = createServer((request, response) => {
    const key = new URL(request.url!, 'http://s3').pathname;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (!/^AWS4-HMAC-SHA256 /.test(request.headers.authorization ?? '')) return void response.writeHead(403).end();
      if (request.method === 'PUT') {
        this.puts++;
        this.objects.set(key, Buffer.concat(chunks).subarray(0, this.keepsBytes));
        return void response.end();
      }
      const object = this.objects.get(key);
      if (!object) return void response.writeHead(404, { 'content-type': 'application/xml' }).end(request.method === 'HEAD' ? '' : NO_SUCH_KEY);
      response.writeHead(200, { 'content-length': object.length }).end(request.method === 'HEAD' ? undefined : object);
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((listening) => this.server.listen(0, '127.0.0.1', listening));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}

const NO_SUCH_KEY = '<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>';
