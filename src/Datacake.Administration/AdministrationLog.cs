using Microsoft.Extensions.Logging;

namespace Datacake.Administration;

/// <summary>The log of what operators do.</summary>
static partial class AdministrationLog
{
    [LoggerMessage(5001, LogLevel.Information, "Operator {Operator} at {Address} called {Command} ({Arguments}).")]
    public static partial void Called(ILogger logger, string @operator, string address, string command, string arguments);

    [LoggerMessage(5002, LogLevel.Warning, "The call {Command} of operator {Operator} at {Address} was refused: {Reason}")]
    public static partial void Refused(ILogger logger, string command, string @operator, string address, string reason);

    [LoggerMessage(5003, LogLevel.Warning, "The call {Command} of operator {Operator} at {Address} has failed.")]
    public static partial void Failed(ILogger logger, string command, string @operator, string address, Exception exception);
}
