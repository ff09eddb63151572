namespace Datacake.Rpc.Transport;

/// <summary>
/// The closing of connections that have already ended. Errors are ignored, so that they do not hide the reason for the end.
/// </summary>
static class Closing
{
    /// <summary>Closes the transport first, and then the stream around it, so that closing TLS does not wait for the peer.</summary>
    public static async ValueTask CloseAsync(TransportConnection? transport, Stream? stream)
    {
        await CloseAsync(transport).ConfigureAwait(false);
        await CloseAsync(stream).ConfigureAwait(false);
    }

    public static async ValueTask CloseAsync(IAsyncDisposable? part)
    {
        try
        {
            if (part is not null)
                await part.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The peer closed first, or closing failed.
        }
    }
}
