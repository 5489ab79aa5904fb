import type { Profile } from '@geordi/profile'
import { FULL_RUN, profileOf, randomNumbers, type TestSample } from './profile-builder.ts'
import { withWaits } from './wait-builder.ts'

const HANDLER = ['onRequest', 'handler']
const ORDERS = [...HANDLER, 'loadOrders']
const USER = '(wait) sql select id, name, email from users where id = $1 @127.0.0.1:5432/shop'
const ORDER = '(wait) sql select o.id, o.placed_at, o.total, l.sku, l.quantity, l.price, p.name, p.weight from orders o join order_lines l on l.order_id = o.id ' +
  'join products p on p.sku = l.sku where o.customer_id = $1 and o.placed_at > now() - interval ? order by o.placed_at desc @127.0.0.1:5432/shop'

/** A request that runs for 215 ms, waits for 730 ms for something of each kind, and is idle for 55 ms: one second. */
export function waitingProfile (): Profile {
  const random = randomNumbers(3)
  const queries = Array.from({ length: 200 }, (_, at): TestSample[] => [
    [[...ORDERS, 'loadUser', 'query', USER], 1000], [[...ORDERS, 'loadUser', 'query'], 200], [[...ORDERS, ['parseRow', 'toUser'][random(2)] as string], 100 + at % 2 * 100]
  ]).flat()
  return withWaits(profileOf([
    [[...HANDLER, 'authorize', '(wait) cache get @localhost:6379'], 9000],
    [[...HANDLER, 'authorize', '(wait) dns lookup @api.example'], 3000],
    [[...HANDLER, 'authorize', '(wait) connect connect @api.example:443'], 18_000],
    [[...HANDLER, 'authorize', '(wait) http POST /v2/tokens/verify @https://api.example'], 90_000],
    [[...ORDERS, '(wait) pool free connection @127.0.0.1:5432/shop'], 60_000],
    [[...ORDERS, 'query', ORDER], 180_000],
    ...queries,
    [[...HANDLER, 'render', 'readTemplate', '(wait) file readFile @/srv/app/templates/orders.html'], 12_000],
    [[...HANDLER, 'render', 'escape'], 70_000],
    [[...HANDLER, 'render', '(garbage collector)'], 20_000],
    [[...HANDLER, 'compress', '(wait) threadpool gzip @zlib'], 48_000],
    [[...HANDLER, 'audit', '(wait) lock acquire'], 30_000],
    [[...HANDLER, 'audit', '(wait) timer setTimeout'], 80_000],
    [['(caller unknown)', 'onMessage'], 15_000],
    [['(recording)'], 25_000],
    [['(program)'], 15_000],
    [['(idle)'], 55_000]
  ], FULL_RUN), { all: 903, busy: 214 })
}
