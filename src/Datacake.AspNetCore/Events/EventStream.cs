using System.Buffers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Datacake.Data;
using Datacake.EventualConsistency;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Datacake.AspNetCore.Events;

/// <summary>An endpoint that sends the changes of a query's results as server-sent events.</summary>
/// <remarks>
/// The position of a batch is the id of its last event alone, so a client that has received a part of a batch gets the whole batch again. A slow client slows down its watch, whose buffer is bounded: the
/// watch then continues with the latest state.
/// </remarks>
sealed class EventStream<TContext, T>(Func<TContext, HttpContext, Query<T>> query, DatacakeEventsOptions options)
    where TContext : DatacakeContext
    where T : class
{
    const string Reset = "reset", Ready = "ready", Heartbeat = "heartbeat";

    /// <summary>The maximum length of the position that a client sends, which has a few bytes for each node.</summary>
    const int MaxPositionLength = 8192;

    int _clients;

    public async Task ServeAsync(HttpContext context)
    {
        if (Interlocked.Increment(ref _clients) > options.MaxClients)
        {
            Interlocked.Decrement(ref _clients);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "5";
            return;
        }
        try
        {
            var db = context.RequestServices.GetRequiredService<TContext>();
            // The server would wait for the client when it stops, and the client would not go to another node.
            var stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, context.RequestAborted);
            await TypedResults.ServerSentEvents(ReadAsync(context, db, query(db, context), end.Token)).ExecuteAsync(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone.
        }
        finally
        {
            Interlocked.Decrement(ref _clients);
        }
    }

    /// <summary>Returns the events of a client, with heartbeats, until the host stops or the client goes.</summary>
    async IAsyncEnumerable<SseItem<string>> ReadAsync(HttpContext context, TContext db, Query<T> results, [EnumeratorCancellation] CancellationToken end)
    {
        var time = db.Node.TimeProvider;
        var json = (JsonTypeInfo<T>)context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions.GetTypeInfo(typeof(T));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(end);
        var events = EventsAsync(results, PositionOf(context, db), json, stop.Token).GetAsyncEnumerator(stop.Token);
        var next = Task.FromResult(true);
        try
        {
            bool isFirst = true;
            while (true)
            {
                next = events.MoveNextAsync().AsTask();
                while (!await CompletesAsync(next, time).ConfigureAwait(false))
                    yield return new SseItem<string>("", Heartbeat);
                if (!await HasNextAsync(next, end).ConfigureAwait(false))
                    yield break;
                var item = events.Current;
                yield return isFirst ? new SseItem<string>(item.Data, item.EventType) { EventId = item.EventId, ReconnectionInterval = options.ReconnectDelay } : item;
                isFirst = false;
            }
        }
        finally
        {
            // The client may have gone while the next event was awaited, and an enumerator that runs cannot be disposed.
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await events.DisposeAsync().ConfigureAwait(false);
        }
    }

    async IAsyncEnumerable<SseItem<string>> EventsAsync(Query<T> results, WatchPosition? position, JsonTypeInfo<T> json, [EnumeratorCancellation] CancellationToken end)
    {
        if (position is not null)
        {
            // The client sees that it is connected. Whether there is a gap is known only with the second batch.
            yield return new SseItem<string>("", Heartbeat);
            await foreach (var batch in results.WatchAsync(position, end).ConfigureAwait(false))
            {
                if (batch.HasGap)
                    break;
                foreach (var item in ItemsOf(batch, json, withPosition: true))
                    yield return item;
            }
        }
        if (options.SendResults)
        {
            yield return new SseItem<string>("", Reset);
            bool isReady = false;
            await foreach (var batch in results.WatchAsync(end).ConfigureAwait(false))
            {
                foreach (var item in ItemsOf(batch, json, withPosition: isReady))
                    yield return item;
                if (!isReady)
                    yield return new SseItem<string>("", Ready) { EventId = batch.Position.ToString() };
                isReady = true;
            }
            yield break;
        }
        bool isReset = false;
        await foreach (var batch in results.WatchAsync(WatchPosition.Now, end).ConfigureAwait(false))
        {
            if (!isReset || batch.HasGap)
                yield return new SseItem<string>("", Reset) { EventId = batch.Position.ToString() };
            isReset = true;
            foreach (var item in ItemsOf(batch, json, withPosition: true))
                yield return item;
        }
    }

    static IEnumerable<SseItem<string>> ItemsOf(EntityChanges<T> batch, JsonTypeInfo<T> json, bool withPosition)
    {
        for (int i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            string kind = change.Kind switch
            {
                EntityChangeKind.Added => "added",
                EntityChangeKind.Changed => "changed",
                _ => "removed",
            };
            bool isLast = withPosition && i == batch.Changes.Count - 1;
            yield return new SseItem<string>(DataOf(change, json), kind) { EventId = isLast ? batch.Position.ToString() : null };
        }
    }

    static string DataOf(EntityChange<T> change, JsonTypeInfo<T> json)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("key"u8, Convert.ToHexStringLower(change.Key.Encoded.Span));
            if (change.Kind != EntityChangeKind.Removed)
            {
                writer.WritePropertyName("entity"u8);
                JsonSerializer.Serialize(writer, change.After!, json);
            }
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Returns the position from which a client continues; null if it begins anew.</summary>
    static WatchPosition? PositionOf(HttpContext context, TContext db)
    {
        string text = context.Request.Headers["Last-Event-ID"].ToString();
        if (text.Length is 0 or > MaxPositionLength || !WatchPosition.TryParse(text, out var position) || position.Equals(WatchPosition.Now))
            return null;
        // No position says which entities have expired since.
        return db.Keyspaces.Any(static keyspace => keyspace.Entity.Type == typeof(T) && (keyspace.Entity.Expiry is not null || keyspace.Entity.ExpiresAfter is not null)) ? null : position;
    }

    /// <summary>Waits for the next event, or for the time of a heartbeat. Returns false if that is over.</summary>
    async ValueTask<bool> CompletesAsync(Task next, TimeProvider time)
    {
        if (next.IsCompleted)
            return true;
        using var stop = new CancellationTokenSource();
        var silence = Task.Delay(options.HeartbeatInterval, time, stop.Token);
        bool isNext = await Task.WhenAny(next, silence).ConfigureAwait(false) == next;
        await stop.CancelAsync().ConfigureAwait(false);
        return isNext;
    }

    /// <summary>Returns true if there is another event, and false if the host stops or the client has gone.</summary>
    static async ValueTask<bool> HasNextAsync(Task<bool> next, CancellationToken end)
    {
        try
        {
            return await next.ConfigureAwait(false);
        }
        catch (Exception e) when (end.IsCancellationRequested || e is ObjectDisposedException)
        {
            // The client connects again, to another node.
            return false;
        }
    }
}
