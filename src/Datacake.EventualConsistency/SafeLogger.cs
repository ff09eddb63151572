using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency;

/// <summary>A logger that throws nothing: no part of the store may end because a log provider fails, and nobody else could be told of that.</summary>
sealed class SafeLogger(ILogger logger) : ILogger
{
    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return logger.IsEnabled(logLevel);
        }
        catch
        {
            return false;
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => logger.BeginScope(state);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            logger.Log(logLevel, eventId, state, exception, formatter);
        }
        catch
        {
            // As the summary says.
        }
    }
}
