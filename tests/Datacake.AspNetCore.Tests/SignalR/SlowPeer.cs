using Datacake.Rpc;
using MessagePack;

namespace Datacake.AspNetCore.Tests.SignalR;

/// <summary>A peer with the busy hub that reads its messages only when the test lets it.</summary>
sealed class SlowPeer : RpcService
{
    readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int _messages;

    public override string Name => $"signalr:{typeof(BusyHub)}";

    /// <summary>Gets the number of messages that have been read.</summary>
    public int Messages => Volatile.Read(ref _messages);

    public void Release() => _released.TrySetResult();

    protected override void Register(RpcHandlers handlers) => handlers.HandleStream("entries", async (stream, cancellationToken) =>
    {
        await _released.Task.WaitAsync(cancellationToken);
        while (await stream.ReadAsync(cancellationToken) is { } block)
        {
            using (block)
                Interlocked.Add(ref _messages, CountIn(block.Memory));
        }
    });

    static int CountIn(ReadOnlyMemory<byte> block)
    {
        var reader = new MessagePackReader(block);
        int count = 0;
        for (; !reader.End; count++)
            reader.Skip();
        return count;
    }
}
