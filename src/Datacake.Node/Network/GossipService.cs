using Datacake.Rpc;

namespace Datacake.Node;

/// <summary>The node's gossip as a service: a message comes in, the reply to it goes back, empty if there is none.</summary>
sealed class GossipService(GossipLoop gossip) : RpcService
{
    public const string ServiceName = "gossip";
    public const string ExchangeMessage = "exchange";

    public override string Name => ServiceName;

    protected override void Register(RpcHandlers handlers)
        => handlers.HandleBytes(
            ExchangeMessage,
            (request, _) => ValueTask.FromResult<ReadOnlyMemory<byte>>(gossip.Receive(request.Payload.Span, request.RemoteAddress)));
}
