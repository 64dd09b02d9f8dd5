'use strict'

/** How many letters one word is away from another. */
function distance (a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]
}

/** An option that nobody knows is a mistake, and does nothing in silence no longer. */
function checkOptions (what, given, known) {
  if (given === null || typeof given !== 'object') throw new TypeError(`${what}: options are an object, not ${given === null ? 'null' : typeof given}`)
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const near = known.find(word => distance(word.toLowerCase(), name.toLowerCase()) <= 2)
    throw new TypeError(`${what}: there is no option "${name}"; ${near ? `did you mean "${near}"?` : `expected ${known.join(', ')}`}`)
  }
}

module.exports = { checkOptions }
