using Microsoft.Extensions.Logging;

namespace Datacake.Rpc.Logging;

/// <summary>
/// A logger that forwards everything to the application's logger and catches its exceptions, so that they do not affect connections. Control
/// characters in messages are replaced, because messages quote texts of peers, which could otherwise forge lines of the log.
/// </summary>
sealed class SafeLogger(ILogger inner) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return inner.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            return false;
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            inner.Log(logLevel, eventId, state, exception, (parts, error) => RemoteText.OneLine(formatter(parts, error)));
        }
        catch (Exception)
        {
            // There is nowhere left to report it.
        }
    }
}
