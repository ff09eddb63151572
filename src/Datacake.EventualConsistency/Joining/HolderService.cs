using System.Text;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Joining;

/// <summary>The service that says whether this node holds a named store. Every node with a store has it.</summary>
/// <param name="node">The id of this node.</param>
/// <param name="holds">Returns true if this node holds the store of a name, even if it is still opening it.</param>
sealed class HolderService(byte node, Func<string, bool> holds) : RpcService
{
    public const string ServiceName = "stores", HoldsMessage = "holds";

    const byte Version = 1;
    const int ReplyLength = 3;

    public override string Name => ServiceName;

    /// <summary>Returns the request for a store.</summary>
    public static byte[] RequestFor(string store) => Encoding.UTF8.GetBytes(store);

    /// <summary>
    /// Returns what a reply says, or null if it is the reply of another node than the expected one, which may have taken over its address.
    /// </summary>
    public static bool? Read(ReadOnlySpan<byte> reply, byte expected) => reply.Length >= ReplyLength && reply[1] == expected ? reply[2] != 0 : null;

    protected override void Register(RpcHandlers handlers) => handlers.HandleBytes(
        HoldsMessage,
        (request, _) => ValueTask.FromResult<ReadOnlyMemory<byte>>(
            new byte[] { Version, node, holds(Encoding.UTF8.GetString(request.Payload.Span)) ? (byte)1 : (byte)0 }));
}
