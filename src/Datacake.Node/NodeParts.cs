using Datacake.Crdt;
using Datacake.Node.Membership;
using Datacake.Node.Network;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>The parts of a node, all of them open.</summary>
sealed record NodeParts(
    byte NodeId,
    string Address,
    bool HasNewAddress,
    string DataCenter,
    string ClusterId,
    ulong Generation,
    Seeds Seeds,
    TimeSpan MinSilence,
    TimeSpan MaxClockDifference,
    HybridLogicalClock Clock,
    IStorage? Storage,
    RpcServer Server,
    ChannelPool Channels,
    IGossipLink GossipLink,
    SharedGossiper Gossip,
    GossipLoop GossipLoop,
    PeerClocks Clocks,
    MembershipView View,
    MemberRecordStore? MemberRecordStore,
    TimeProvider TimeProvider,
    ILoggerFactory LoggerFactory,
    RpcTls? Tls,
    IReadOnlyList<ReadOnlyMemory<byte>> OperatorKeys,
    IReadOnlyDictionary<Type, object> ExtensionSettings);
