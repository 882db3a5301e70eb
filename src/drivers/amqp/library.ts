import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage, Message, Options } from 'amqplib'
import { UsageError } from '../../errors.ts'

/** What this driver uses of amqplib. */
export type Connection = ChannelModel
export type { Channel, ConfirmChannel, ConsumeMessage, Message, Options }

export interface Library {
  connect(url: Options.Connect, socket: object): Promise<Connection>
}

/**
 * The client library, which whoever uses this driver installs.
 *
 * @throws UsageError DRIVER_MISSING
 */
export async function loadLibrary(): Promise<Library> {
  try {
    return (await import('amqplib')) as unknown as Library
  } catch (cause) {
    throw new UsageError(
      'DRIVER_MISSING',
      'The RabbitMQ backend needs the package amqplib, which is not installed. Run "npm install amqplib@2".',
      { cause },
    )
  }
}
