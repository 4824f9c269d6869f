import { parentPort } from 'node:worker_threads';
import { replicate } from './replicate.ts';
import type { ReplicationAnswer, ReplicationTask } from './simulators.service.ts';

parentPort!.on('message', ({ spec, replication }: ReplicationTask) => {
  const outcome = replicate(spec, replication, (share) => parentPort!.postMessage({ share } satisfies ReplicationAnswer));
  parentPort!.postMessage({ outcome } satisfies ReplicationAnswer);
});
