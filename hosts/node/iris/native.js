'use strict'
// The compiled half: linked into the program under `iris run`, else the addon that lies beside this file.
function find () {
  try {
    return process._linkedBinding('iris')
  } catch {
    return require('./iris.node')
  }
}

module.exports = find()
