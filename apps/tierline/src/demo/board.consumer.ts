import { Controller, Injectable, Module } from '@nestjs/common';
import { allEvents, type Event } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import type { ServiceDefinition } from '@tierline/service';
import { emptyBoard, fold, type Board } from './board.ts';

/** Holds the board of this process. */
@Injectable()
export class BoardKeeper {
  readonly board: Board = emptyBoard();
}

/** Watches the whole line, like any other service: the figures on the board are a fold over its events. */
@Controller()
@Consumes('board')
export class BoardConsumer {
  constructor(private readonly keeper: BoardKeeper) {}

  @On(...allEvents)
  onEvents(batch: Event[], tx: LogTransaction): Promise<void> {
    // After the commit: a batch that is rolled back is seen again.
    tx.committed.push(() => {
      for (const event of batch) fold(this.keeper.board, event);
    });
    return Promise.resolve();
  }
}

@Module({ controllers: [BoardConsumer], providers: [BoardKeeper], exports: [BoardKeeper] })
class BoardModule {}

/** The board as a service: it runs beside the others, or on its own over Kafka. */
export const boardService: ServiceDefinition = { name: 'board', module: BoardModule, entities: [], migrations: [] };
