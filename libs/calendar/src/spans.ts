/** Times as a flat list [start, end, start, end, …]: a year of them is made in microseconds. */
export type Spans = number[];

/** The same time as spans in order that neither touch nor overlap. Changes `spans`. */
export function unite(spans: Spans): Spans {
  for (let at = 2; at < spans.length; at += 2) {
    if (spans[at]! < spans[at - 2]!) {
      sort(spans);
      break;
    }
  }
  let length = 0;
  for (let at = 0; at < spans.length; at += 2) {
    const start = spans[at]!;
    const end = spans[at + 1]!;
    if (end <= start) continue;
    if (length > 0 && start <= spans[length - 1]!) spans[length - 1] = Math.max(spans[length - 1]!, end);
    else {
      spans[length++] = start;
      spans[length++] = end;
    }
  }
  spans.length = length;
  return spans;
}

function sort(spans: Spans): void {
  const starts = Array.from({ length: spans.length / 2 }, (_, index) => ({ start: spans[2 * index]!, end: spans[2 * index + 1]! }));
  starts.sort((a, b) => a.start - b.start);
  for (const [index, { start, end }] of starts.entries()) {
    spans[2 * index] = start;
    spans[2 * index + 1] = end;
  }
}

/** What of `spans` lies in [from, to) and outside `gaps`; both are united. */
export function cut(spans: Spans, gaps: Spans, from: number, to: number): Spans {
  const left: Spans = [];
  let gap = 0;
  for (let at = 0; at < spans.length; at += 2) {
    let start = Math.max(spans[at]!, from);
    const end = Math.min(spans[at + 1]!, to);
    while (gap < gaps.length && gaps[gap + 1]! <= start) gap += 2;
    for (let next = gap; next < gaps.length && gaps[next]! < end; next += 2) {
      if (gaps[next]! > start) left.push(start, gaps[next]!);
      start = Math.max(start, gaps[next + 1]!);
    }
    if (end > start) left.push(start, end);
  }
  return left;
}
