using Datacake.Node.Diagnostics;
using Datacake.Node.Gossip;
using Datacake.Rpc;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Network;

/// <summary>
/// A gossip link over RPC. Each message is a call to the service <c>gossip</c>, and its reply is the reply of the call. Gossip therefore
/// uses the node's one port and has the same protection as other calls.
/// </summary>
sealed class RpcGossipLink(RpcServer server, ChannelPool channels, TimeSpan timeout, ILogger logger) : IGossipLink
{
    const string ServiceName = "gossip";
    const string ExchangeMessage = "exchange";

    /// <summary>The maximum number of calls in an exchange: a Syn, which a SynAck answers, and an Ack.</summary>
    const int MaxCalls = 2;

    GossipReceiver? _receiver;

    /// <summary>Gets the maximum length of a message: far more than 256 nodes need, and far below the limit of RPC messages.</summary>
    public int MaxMessageLength => 1024 * 1024;

    public void Open(GossipReceiver receiver)
    {
        _receiver = receiver;
        server.AddService(new Service(receiver));
    }

    public async Task<ExchangeResult> ExchangeAsync(GossipTarget target, ulong exchange, byte[] syn, CancellationToken cancellationToken)
    {
        try
        {
            var result = new ExchangeResult(ExchangeOutcome.Silent, Failure: "The node accepts calls but does not take part in gossip.");
            var message = syn;
            for (var call = 0; call < MaxCalls && message.Length > 0; call++)
            {
                using var reply = await channels.To(target.Address, target.ServerName).CallAsync(
                    ServiceName,
                    ExchangeMessage,
                    message,
                    new RpcCallOptions { Timeout = timeout },
                    cancellationToken).ConfigureAwait(false);
                if (reply.Span.IsEmpty)
                    return result;
                var receipt = _receiver!(reply.Span, target.Address);
                if (!receipt.IsAnswer)
                    return result;
                result = new ExchangeResult(receipt.Outcome, receipt.Sender);
                message = receipt.Reply;
            }
            return result;
        }
        catch (RpcException failure)
        {
            NodeLog.ExchangeFailed(logger, target.Address, failure.Message);
            return new ExchangeResult(ExchangeOutcome.Silent, Failure: failure.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new ExchangeResult(ExchangeOutcome.Silent, Failure: "The node is stopping.");
        }
    }

    public ValueTask DisposeAsync()
    {
        server.RemoveService(ServiceName);
        return ValueTask.CompletedTask;
    }

    sealed class Service(GossipReceiver receiver) : RpcService
    {
        public override string Name => ServiceName;

        protected internal override void Register(RpcHandlers handlers)
            => handlers.HandleBytes(
                ExchangeMessage,
                // The port is left out because it differs with each connection.
                (request, _) => ValueTask.FromResult<ReadOnlyMemory<byte>>(
                    receiver(request.Payload.Span, NodeAddress.HostOf(request.RemoteAddress)).Reply));
    }
}
