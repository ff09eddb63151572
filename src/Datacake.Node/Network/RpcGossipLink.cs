using System.Net;
using Datacake.Rpc;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>
/// Gossip over the node's own RPC links: each message is a call to the service <c>gossip</c>, and its reply comes back as the call's. One
/// port, and what protects the links protects the gossip.
/// </summary>
sealed class RpcGossipLink(RpcServer server, ChannelPool channels, TimeSpan timeout, ILogger logger) : IGossipLink
{
    const string ServiceName = "gossip";
    const string ExchangeMessage = "exchange";

    /// <summary>A Syn is answered by a SynAck, and that by an Ack: no honest exchange takes more calls.</summary>
    const int MaxCalls = 2;

    GossipReceiver? _receiver;

    /// <summary>Far above what 256 nodes need, far below what the links refuse.</summary>
    public int MaxMessageLength => 1024 * 1024;

    public void Open(GossipReceiver receiver)
    {
        _receiver = receiver;
        server.AddService(new Service(receiver));
    }

    public async Task<ExchangeOutcome> ExchangeAsync(IPEndPoint target, string address, byte[] syn, CancellationToken cancellationToken)
    {
        try
        {
            var message = syn;
            for (var call = 0; call < MaxCalls && message.Length > 0; call++)
            {
                using var reply = await channels.To(address).CallAsync(
                    ServiceName,
                    ExchangeMessage,
                    message,
                    new RpcCallOptions { Timeout = timeout },
                    cancellationToken).ConfigureAwait(false);
                if (reply.Span.IsEmpty)
                    return call > 0 ? ExchangeOutcome.Answered : ExchangeOutcome.Silent;
                message = _receiver!(reply.Span, address, out var isRefused);
                if (isRefused)
                    return ExchangeOutcome.Refused;
            }
            return ExchangeOutcome.Answered;
        }
        catch (RpcException failure)
        {
            NodeLog.ExchangeFailed(logger, address, failure.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops.
        }
        return ExchangeOutcome.Silent;
    }

    public ValueTask DisposeAsync()
    {
        server.RemoveService(ServiceName);
        return ValueTask.CompletedTask;
    }

    sealed class Service(GossipReceiver receiver) : RpcService
    {
        public override string Name => ServiceName;

        protected override void Register(RpcHandlers handlers)
            => handlers.HandleBytes(
                ExchangeMessage,
                (request, _) =>
                    ValueTask.FromResult<ReadOnlyMemory<byte>>(receiver(request.Payload.Span, request.RemoteAddress, out var _)));
    }
}
