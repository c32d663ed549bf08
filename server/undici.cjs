// Of undici, what sends requests: as a whole it costs every start of the network thread twice the time and 10 MB more.

const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');

// What undici puts there itself; a proxy's tunnels are made by it.
Dispatcher.prototype.connect = require('undici/lib/api/api-connect.js');

module.exports = {
  Agent: require('undici/lib/dispatcher/agent.js'),
  Pool: require('undici/lib/dispatcher/pool.js'),
  ProxyAgent: require('undici/lib/dispatcher/proxy-agent.js'),
  buildConnector: require('undici/lib/core/connect.js')
};
