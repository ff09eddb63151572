namespace Datacake.Rpc;

/// <summary>Closes what is over in any case, so that no error of closing hides why it is.</summary>
static class Closing
{
    /// <summary>Closes the transport first, so that TLS around it has nothing to wait for.</summary>
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
            // The peer was faster, or it fails at closing.
        }
    }
}
