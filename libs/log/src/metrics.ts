import { Counter, Gauge, Histogram } from 'prom-client';

/** Of events that wait to be handled, by Kafka's offsets or the log's positions; only where this process is the owner. */
export const lagEvents = new Gauge({ name: 'tierline_consumer_lag_events', help: 'Events not handled yet', labelNames: ['group', 'topic'] });
/** The oldest event that a group is at, by the times of events: what a customer waits for. 0 when there is none. */
export const lagSeconds = new Gauge({ name: 'tierline_consumer_lag_seconds', help: 'Age of the oldest event that is being handled', labelNames: ['group'] });
export const batchSize = new Histogram({
  name: 'tierline_batch_size',
  help: 'Events that shared a transaction',
  labelNames: ['group'],
  buckets: [1, 5, 20, 50, 100, 200, 500],
});
export const transactionSeconds = new Histogram({
  name: 'tierline_batch_tx_seconds',
  help: 'Duration of the transaction of a batch, of those that failed too',
  labelNames: ['group'],
  buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
});
export const repeatsDropped = new Counter({
  name: 'tierline_redelivered_dropped_total',
  help: 'Events that came again and were dropped',
  labelNames: ['group'],
});
export const holes = new Gauge({ name: 'tierline_consumer_holes', help: 'Buckets that stand still because an event is missing', labelNames: ['group'] });
export const retryBacklog = new Gauge({ name: 'tierline_retry_backlog', help: 'Events set aside, by what they wait for', labelNames: ['group', 'state'] });
export const blockedKeys = new Gauge({ name: 'tierline_blocked_keys', help: 'Keys whose events wait behind one that failed', labelNames: ['group'] });
export const parkedTotal = new Counter({ name: 'tierline_parked_total', help: 'Events given up until an operator decides', labelNames: ['group'] });
export const rebalances = new Counter({ name: 'tierline_rebalance_total', help: 'Assignments of partitions', labelNames: ['group'] });
export const consumerCrashes = new Counter({ name: 'tierline_consumer_crash_total', help: 'Kafka consumers that had to be replaced', labelNames: ['group'] });
export const relayLagEvents = new Gauge({ name: 'tierline_relay_lag_events', help: 'Events of this log that Kafka has not acknowledged yet' });
