using System.Runtime.InteropServices;
using System.Threading.Channels;
using Datacake.Storage;

namespace Datacake.Benchmarks.Storage;

/// <summary>A single writer that commits all waiting entries in one transaction and then completes their callers.</summary>
sealed class GroupCommit : IAsyncDisposable
{
    readonly Channel<(byte[] Key, byte[] Value, TaskCompletionSource Done)> _waiting =
        Channel.CreateUnbounded<(byte[], byte[], TaskCompletionSource)>(new UnboundedChannelOptions { SingleReader = true });

    readonly IKeyValueStore _store;
    readonly Task _writing;

    public GroupCommit(IKeyValueStore store)
    {
        _store = store;
        _writing = Task.Run(WriteAsync);
    }

    public Task PutAsync(byte[] key, byte[] value)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ObjectDisposedException.ThrowIf(!_waiting.Writer.TryWrite((key, value, done)), this);
        return done.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.Complete();
        await _writing;
        await _store.DisposeAsync();
    }

    async Task WriteAsync()
    {
        var entries = new List<(byte[], byte[])>();
        var done = new List<TaskCompletionSource>();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            while (_waiting.Reader.TryRead(out var waiting))
            {
                entries.Add((waiting.Key, waiting.Value));
                done.Add(waiting.Done);
            }
            _store.Commit(CollectionsMarshal.AsSpan(entries), Durability.Flushed);
            foreach (var waiter in done)
                waiter.SetResult();
            entries.Clear();
            done.Clear();
        }
    }
}
