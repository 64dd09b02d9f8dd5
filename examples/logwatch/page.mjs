// page.mjs - the totals as a page that anybody can look at, by node's own http.
//
//     iris run page.json        then open http://127.0.0.1:8273/
//
// It asks the counter each time it is looked at, and the counter may be any version, in any language.
import { createServer } from 'node:http'
import { Runtime } from 'iris'

const rt = new Runtime()

export class Page {
  constructor ({ of, port = 8273, host = '127.0.0.1' }) {
    this.of = of
    this.server = createServer((request, response) => this.serve(response))
    this.server.listen(port, host)
  }

  // What `iris ask` gets: where the page is.
  onMessage () {
    const { address, port } = this.server.address()
    return `http://${address}:${port}/`
  }

  async serve (response) {
    const totals = await this.ask('totals')
    response.writeHead(totals ? 200 : 503, { 'content-type': 'text/html; charset=utf-8', refresh: '2' })
    response.end(totals ? html(totals, await this.ask('top 10')) : 'the counter is not there\n')
  }

  async ask (question) {
    try {
      return String(await rt.ask(rt.whereis(this.of) ?? 0, question, 2))
    } catch {
      return null
    }
  }

  end () { this.server.close() }
}

// "lines 273  install 63  .." and "libssl3 16  .."
function html (totals, top) {
  return `<!doctype html><title>logwatch</title><body style="font: 1rem monospace">
${table('events', totals)}${table('packages', top ?? '')}`
}

function table (title, text) {
  const rows = text.split('  ').map(entry => entry.match(/^(.*) (\d+)$/)).filter(Boolean)
  return `<h2>${title}</h2><table>${rows.map(([, name, n]) => `<tr><td>${escape(name)}<td align=right>${n}`).join('\n')}</table>\n`
}

function escape (text) {
  return text.replace(/[&<>]/g, sign => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign])
}
