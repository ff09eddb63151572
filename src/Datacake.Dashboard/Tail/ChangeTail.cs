using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Datacake.Administration;
using Datacake.Dashboard.Formatting;
using Datacake.Dashboard.Pages;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Datacake.Dashboard.Tail;

/// <summary>Sends the changes of keyspaces to a browser as server-sent events. A browser that is too slow misses changes, and is told how many.</summary>
sealed class ChangeTail(StoreAdministration administration, PageAddresses addresses, IReadOnlyList<string> keyspaces)
{
    /// <summary>The limit of the keyspaces that one tail watches.</summary>
    public const int MaxKeyspaces = 32;

    /// <summary>The limit of changes in a second that are sent; a person reads fewer.</summary>
    public const int MaxEventsPerSecond = 50;

    const int MaxWaiting = 200, MaxDocumentLength = 400;

    static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(5);

    long _missed;

    public async Task RunAsync(HttpContext context, IHostApplicationLifetime lifetime)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var response = context.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers["X-Accel-Buffering"] = "no";
        var events = Channel.CreateBounded<TailEvent>(new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
        var watches = keyspaces.Select(keyspace => WatchAsync(keyspace, events.Writer, ending.Token)).ToArray();
        try
        {
            await response.WriteAsync("retry: 2000\nevent: ready\ndata: {}\n\n", ending.Token).ConfigureAwait(false);
            await response.Body.FlushAsync(ending.Token).ConfigureAwait(false);
            await SendAsync(response, events.Reader, ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The browser has closed the page, or the application stops.
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(watches).ConfigureAwait(false);
        }
    }

    async Task SendAsync(HttpResponse response, ChannelReader<TailEvent> events, CancellationToken cancellationToken)
    {
        long second = 0, reported = 0;
        int sent = 0;
        while (true)
        {
            using var heartbeat = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            heartbeat.CancelAfter(HeartbeatInterval);
            try
            {
                await events.WaitToReadAsync(heartbeat.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Something to write, so that a connection that has broken is noticed on both sides.
                await response.WriteAsync("event: alive\ndata: {}\n\n", cancellationToken).ConfigureAwait(false);
            }
            while (events.TryRead(out var change))
            {
                long now = Environment.TickCount64 / 1000;
                (second, sent) = now == second ? (second, sent + 1) : (now, 1);
                if (sent > MaxEventsPerSecond)
                    Interlocked.Increment(ref _missed);
                else
                    await WriteAsync(response, change, cancellationToken).ConfigureAwait(false);
            }
            if (reported != second && Interlocked.Exchange(ref _missed, 0) is > 0 and var missed)
            {
                reported = second;
                string text = string.Create(CultureInfo.InvariantCulture, $"{missed:N0} further changes are not shown: more than {MaxEventsPerSecond} in a second.");
                await WriteAsync(response, new TailEvent("gap", "", null, null, null, text, null), cancellationToken).ConfigureAwait(false);
            }
            await response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    static Task WriteAsync(HttpResponse response, TailEvent change, CancellationToken cancellationToken) =>
        response.WriteAsync($"data: {JsonSerializer.Serialize(change, TailJson.Default.TailEvent)}\n\n", cancellationToken);

    async Task WatchAsync(string keyspace, ChannelWriter<TailEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in administration.WatchAsync(keyspace, cancellationToken).ConfigureAwait(false))
            {
                if (!events.TryWrite(EventOf(keyspace, change)))
                    Interlocked.Increment(ref _missed);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The tail ends.
        }
        catch (ObjectDisposedException)
        {
            // The node stops.
        }
    }

    TailEvent EventOf(string keyspace, WatchedChange change) => change.Key is not { } key
        ? new TailEvent("gap", keyspace, null, null, null, "Changes are missing: the node made more of them than the tail could read.", null)
        : new TailEvent(
            change.Kind.ToString().ToLowerInvariant(), keyspace, Shown.Cut(key.GetRawText(), Shown.MaxKeyLength), change.NodeId,
            change.WrittenAt is { } time ? Shown.TimeOfDay(time) : null, change.Document is { } document ? Shown.Cut(document.GetRawText(), MaxDocumentLength) : null,
            addresses.Document(keyspace, key.GetRawText()));
}
