import { connect } from 'millrace'
import { expect, test } from 'vitest'
import { parse } from '../../src/drivers/amqp/url.ts'

test('a URL names the hosts of a cluster, who we are, and where', () => {
  const got = parse('amqps://me%40home:p%2Fw@one:5000,two,[::1]:7/a%2Fb?namespace=shop&heartbeat=30')
  expect(got).toMatchObject({
    protocol: 'amqps',
    hosts: [
      { hostname: 'one', port: 5000 },
      { hostname: 'two', port: 5671 },
      { hostname: '::1', port: 7 },
    ],
    username: 'me@home',
    password: 'p/w',
    vhost: 'a/b',
    namespace: 'shop',
    heartbeat: 30,
    server: 'one:5000, two:5671, ::1:7/a/b',
  })
  expect(parse('amqp://localhost')).toMatchObject({ username: 'guest', vhost: '/', namespace: 'millrace' })
})

test('what is wrong with a URL is said without its password', () => {
  const messages = ['amqp://me:hush@host?retries=3', 'amqp://me:hush@:x', 'amqp://me:hush@h?heartbeat=0'].map(
    (url) => {
      try {
        return parse(url) && 'parsed'
      } catch (error) {
        return (error as Error).message
      }
    },
  )
  expect(messages[0]).toContain('Unknown option "retries"')
  expect(messages[1]).toContain('Expected a URL')
  expect(messages[2]).toContain('"heartbeat"')
  expect(messages.join()).not.toContain('hush')
})

test('without a store the error shows the line to write', () => {
  expect(() => connect('amqp://me:hush@rabbit', { results: '' })).toThrow(
    "connect('amqp://me:***@rabbit', { results: 'redis://localhost:6379' }), with --results or with MILLRACE_RESULTS",
  )
  expect(() => connect('amqp://one', { results: 'amqp://two' })).toThrow('another backend keeps them')
})
