module.exports = require('./build/release/lib/iris/node')
