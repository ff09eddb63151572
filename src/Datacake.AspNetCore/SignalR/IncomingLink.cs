using System.Collections.Concurrent;
using Datacake.AspNetCore.Diagnostics;
using Datacake.Rpc;
using MessagePack;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Datacake.AspNetCore.SignalR;

/// <summary>The stream on which a peer sends entries to this node. They are carried out one after another, and answered on the same stream.</summary>
sealed class IncomingLink : IDisposable
{
    /// <summary>The maximum number of messages to slow clients that are left behind.</summary>
    const int MaxPending = 10_000;

    readonly Backplane _backplane;
    readonly RpcStream _stream;
    readonly byte _node;
    readonly CancellationTokenSource _end;
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly WriteBudget _budget = new(MaxPending);
    readonly ConcurrentDictionary<string, long> _invocations = new(StringComparer.Ordinal);     // ids of invocations and their requests

    public IncomingLink(Backplane backplane, RpcStream stream, byte node, CancellationToken stopping, CancellationToken aborted)
    {
        _backplane = backplane;
        _stream = stream;
        _node = node;
        _end = CancellationTokenSource.CreateLinkedTokenSource(stopping, aborted);
    }

    /// <summary>Carries out what arrives, until the stream ends or is stopped.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (await _stream.ReadAsync(_end.Token).ConfigureAwait(false) is { } payload)
            {
                byte[] entries;
                using (payload)
                    entries = payload.Span.ToArray();           // messages are kept while they are written to slow clients
                int offset = 0;
                while ((offset = Handle(entries, offset)) < entries.Length)
                    await _budget.WaitAsync(_end.Token).ConfigureAwait(false);
                await _budget.WaitAsync(_end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The stream ends here, and the peer opens another one if there still is a hub.
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException)
        {
            throw new RpcException(RpcStatus.InvalidPayload, $"Node {_node} has sent an entry for the hub {_backplane.Hub} that cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Stops the stream, and waits until nothing of it is carried out any longer.</summary>
    public async Task StopAsync()
    {
        try
        {
            await _end.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // It has already ended.
        }
        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>Forgets the invocations of the peer, which gets no result any longer.</summary>
    public void OnEnded()
    {
        foreach (var (invocation, _) in _invocations)
            _backplane.Invocations.Remove(invocation);
        _ended.TrySetResult();
    }

    public void Dispose() => _end.Dispose();

    /// <summary>Carries out entries until the end of the bytes, or until too many messages wait for slow clients. Returns the offset of the next entry.</summary>
    int Handle(byte[] entries, int offset)
    {
        int count = 0;
        try
        {
            for (; offset < entries.Length && _budget.HasRoom; count++)
            {
                var reader = new MessagePackReader(entries.AsMemory(offset));
                HandleEntry(ref reader);
                offset += (int)reader.Consumed;
            }
        }
        finally
        {
            _backplane.Deliver();
            _backplane.Metrics.OnReceived(count);
        }
        return offset;
    }

    void HandleEntry(ref MessagePackReader reader)
    {
        int fields = reader.ReadArrayHeader(), read = 1;
        var kind = (EntryKind)reader.ReadInt32();
        switch (kind)
        {
            case EntryKind.Deliver when fields >= 5:
                var scope = (MessageScope)reader.ReadInt32();
                var target = new MessageTarget(scope, BackplaneEntry.ReadNames(ref reader), BackplaneEntry.ReadNames(ref reader));
                _budget.Add(_backplane.AddAsync(target, BackplaneEntry.ReadMessage(ref reader)));
                read = 5;
                break;
            case EntryKind.AddToGroup or EntryKind.RemoveFromGroup when fields >= 4:
                long request = reader.ReadInt64();
                string connection = BackplaneEntry.ReadText(ref reader), group = BackplaneEntry.ReadText(ref reader);
                bool isHere = kind == EntryKind.AddToGroup ? _backplane.TryAddToGroup(connection, group) : _backplane.TryRemoveFromGroup(connection, group);
                _budget.Add(ReplyAsync(BackplaneEntry.Reply(isHere ? ReplyKind.Done : ReplyKind.NotHere, request)));
                read = 4;
                break;
            case EntryKind.Invoke when fields >= 5:
                Invoke(reader.ReadInt64(), BackplaneEntry.ReadText(ref reader), BackplaneEntry.ReadText(ref reader), BackplaneEntry.ReadMessage(ref reader));
                read = 5;
                break;
            case EntryKind.CancelInvocation when fields >= 2:
                string canceled = BackplaneEntry.ReadText(ref reader);
                if (_invocations.TryRemove(canceled, out _))
                    _backplane.Invocations.Remove(canceled);
                read = 2;
                break;
        }
        for (; read < fields; read++)
            reader.Skip();
    }

    void Invoke(long request, string connectionId, string invocation, SerializedMessage[] message)
    {
        if (_backplane.Find(connectionId) is not { } connection)
        {
            _budget.Add(ReplyAsync(BackplaneEntry.Reply(ReplyKind.NotHere, request)));
            return;
        }
        var protocol = connection.Context.Protocol;
        if (!HubProtocols.IsIn(protocol.Name, message))
        {
            _budget.Add(ReplyAsync(BackplaneEntry.ReplyWithFailure(request, $"Connection '{connectionId}' uses the protocol '{protocol.Name}', which the calling node does not have.")));
            return;
        }
        _budget.Add(ReplyAsync(BackplaneEntry.Reply(ReplyKind.Found, request)));
        _invocations[invocation] = request;
        _backplane.Invocations.Add(
            invocation,
            connection,
            typeof(RawResult),
            completion => End(BackplaneEntry.ReplyWithResult(request, protocol.Name, protocol.GetMessageBytes(completion).Span)),
            () => End(BackplaneEntry.ReplyWithFailure(request, $"Connection '{connectionId}' has closed before it returned a result.")));
        _budget.Add(_backplane.AddAsync(connection, message));

        void End(byte[] reply)
        {
            if (_invocations.TryRemove(invocation, out _))
                _ = ReplyAsync(reply);
        }
    }

    async Task ReplyAsync(byte[] reply)
    {
        try
        {
            await _stream.WriteAsync(reply, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer notices that its stream has ended, and fails its requests.
            AspNetCoreLog.ReplyNotSent(_backplane.Logger, e, _node, _backplane.Hub);
        }
    }
}
