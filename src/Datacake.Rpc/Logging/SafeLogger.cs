using Microsoft.Extensions.Logging;

namespace Datacake.Rpc.Logging;

/// <summary>
/// Passes everything on to the application's logger. An exception of that logger ends here, not in a connection; and messages, which quote what peers say, are one line
/// without control characters, so that nobody else writes lines of the log.
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
