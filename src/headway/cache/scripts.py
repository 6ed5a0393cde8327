"""Redis scripts for boards, each atomic: a board is a sorted set of places, with its mark as the score of one member.

Places are negative and marks positive, so that they never mix. Every script that writes begins with a command that
Redis refuses when its memory is full, so that nothing is done by halves. While a board is being written, its mark is
one that no board has.
"""

from typing import Final

# Answers questions to a board that has the mark, each as {what, place, learner, limit, offset}; returns false for any
# other board. Ids are compared by Lua as Redis sorts them: they are hexadecimal digits, and dashes at fixed places,
# which every locale sorts alike.
READ: Final = """
local key = KEYS[1]
local mark = redis.call('ZSCORE', key, 'mark')
if not mark or tonumber(mark) ~= tonumber(ARGV[1]) then return false end
local function near(what, place, learner, limit)
  local low = redis.call('ZCOUNT', key, '-inf', '(' .. place)
  local behind = low + redis.call('ZCOUNT', key, place, place)
  local high = behind
  while low < high do
    local middle = math.floor((low + high) / 2)
    if redis.call('ZRANGE', key, middle, middle)[1] < learner then low = middle + 1 else high = middle end
  end
  if what == 'before' then
    if low == 0 then return {} end
    return redis.call('ZRANGE', key, math.max(0, low - limit), low - 1, 'WITHSCORES')
  end
  if low < behind and redis.call('ZRANGE', key, low, low)[1] == learner then low = low + 1 end
  return redis.call('ZRANGE', key, low, low + limit - 1, 'WITHSCORES')
end
local function answer(what, place, learner, limit, offset)
  if what == 'above' then return redis.call('ZCOUNT', key, '-inf', '(' .. place) end
  if limit < 1 then return {} end
  if what == 'stretch' then
    return redis.call('ZRANGEBYSCORE', key, place, '(0', 'WITHSCORES', 'LIMIT', offset, limit)
  end
  return near(what, place, learner, limit)
end
local found = {}
for n = 2, #ARGV, 5 do
  found[#found + 1] = answer(ARGV[n], ARGV[n + 1], ARGV[n + 2], tonumber(ARGV[n + 3]), ARGV[n + 4])
end
return found
"""

# A shift is {mark before, mark after, how many seconds the board is kept, learner, place, learner, place, ...}; a
# learner without a place leaves the board.
_APPLY: Final = """
local function apply(key, shift)
  redis.call('ZADD', key, '0.5', 'mark')
  for n = 4, #shift, 2 do
    if shift[n + 1] == '' then redis.call('ZREM', key, shift[n])
    else redis.call('ZADD', key, shift[n + 1], shift[n]) end
  end
  redis.call('ZADD', key, shift[2], 'mark')
end
local function last(key, seconds)
  if seconds == '' then redis.call('PERSIST', key) else redis.call('EXPIRE', key, seconds) end
end
"""

# Applies a shift to a board that has the mark before it, and logs it for whoever is building the board. Processes may
# arrive in another order than they committed in: an early shift is kept until the one before it comes.
SHIFT: Final = (
    _APPLY
    + """
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RPUSH', KEYS[2], cjson.encode(ARGV)) end
local mark = redis.call('ZSCORE', KEYS[1], 'mark')
if tonumber(mark or '0') ~= tonumber(ARGV[1]) then
  if mark then
    redis.call('HSET', KEYS[3], ARGV[1], cjson.encode(ARGV))
    redis.call('EXPIRE', KEYS[3], 10)
  end
  return 0
end
local shift = ARGV
repeat
  apply(KEYS[1], shift)
  local early = redis.call('HGET', KEYS[3], shift[2])
  if early then redis.call('HDEL', KEYS[3], shift[2]) end
  shift = early and cjson.decode(early)
until not shift
last(KEYS[1], ARGV[3])
return 1
"""
)

# Replaces a board by the one built, with the shifts logged meanwhile; returns 0 where part of it is missing.
SWAP: Final = (
    _APPLY
    + """
if redis.call('ZCARD', KEYS[2]) ~= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[2], ARGV[2], 'mark')
local shifts, mark = {}, ARGV[2]
for _, one in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
  local shift = cjson.decode(one)
  shifts[shift[1]] = shift
end
while shifts[mark] do
  local shift = shifts[mark]
  shifts[mark] = nil
  apply(KEYS[2], shift)
  mark = shift[2]
end
redis.call('UNLINK', KEYS[1], KEYS[3])
redis.call('RENAME', KEYS[2], KEYS[1])
last(KEYS[1], ARGV[3])
return 1
"""
)
