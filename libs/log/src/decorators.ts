import { SetMetadata } from '@nestjs/common';
import { Ctx, EventPattern, Payload, RpcException } from '@nestjs/microservices';
import type { EventDefinition, EventOf } from '@tierline/events';
import type { LogTransaction } from './event-log.ts';

const CONSUMES = 'tierline:consumes';

interface Consuming {
  group: string;
  replayable: boolean;
}

/**
 * Marks a controller whose `@On` handlers consume the log as `group`. Several controllers may share a group; it is replayable when all of them are:
 * when handling every event a second time does no harm, or is what rebuilds their tables.
 */
export function Consumes(group: string, { replayable = false }: { replayable?: boolean } = {}): ClassDecorator {
  return SetMetadata(CONSUMES, { group, replayable } satisfies Consuming);
}

type BatchHandler<D extends EventDefinition> = (events: EventOf<D>[], tx: LogTransaction) => Promise<void>;

/**
 * Handles events of one type, or of each of several: a run of them, in order per key, in the transaction that moves the group's position.
 * Throwing rolls back, and the batch is tried again in smaller pieces until the event at fault is alone.
 */
export function On<D extends readonly EventDefinition[]>(...definitions: D) {
  return <Method extends BatchHandler<D[number]>>(prototype: object, method: string, descriptor: TypedPropertyDescriptor<Method>): void => {
    const handle = descriptor.value!;
    descriptor.value = async function (this: unknown, events: EventOf<D[number]>[], tx: LogTransaction): Promise<void> {
      try {
        await handle.call(this, events, tx);
      } catch (error) {
        // Nest's default filter turns every other error into "Internal server error"; it hands the object inside an RpcException on as it is.
        throw new RpcException(error as object);
      }
    } as Method;
    // Without these Nest passes the payload only.
    Payload()(prototype, method, 0);
    Ctx()(prototype, method, 1);
    const topics = Object.fromEntries(definitions.map(({ type, topic }) => [type, topic]));
    EventPattern(Object.keys(topics), undefined, {
      topics,
      // Class decorators run after method decorators, so the group is looked up when it is needed.
      consuming: () => Reflect.getMetadata(CONSUMES, prototype.constructor) as Consuming | undefined,
    })(prototype, method, descriptor);
  };
}

/** What `@On` leaves on a Nest message handler. */
export interface HandlerExtras {
  /** The topic of each type. */
  topics: Readonly<Record<string, string>>;
  consuming: () => Consuming | undefined;
}
