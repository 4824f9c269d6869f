import { parentPort } from 'node:worker_threads';
import { readMail } from './read-mail.ts';
import { READY, type ReadAnswer, type ReadTask } from './mail-reader.service.ts';

parentPort!.on('message', ({ id, bytes }: ReadTask) => {
  readMail(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).then(
    (mail) => parentPort!.postMessage({ id, mail } satisfies ReadAnswer),
    () => parentPort!.postMessage({ id } satisfies ReadAnswer),
  );
});

parentPort!.postMessage(READY);
