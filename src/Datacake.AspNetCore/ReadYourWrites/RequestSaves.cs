using Datacake.AspNetCore.Diagnostics;
using Datacake.EventualConsistency;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Datacake.AspNetCore.ReadYourWrites;

/// <summary>The saves of a request, whose tokens go into its response. Thread-safe.</summary>
sealed class RequestSaves(ILogger logger, PathString path)
{
    readonly Lock _lock = new();
    TokenSet? _made;            // both under the lock
    bool _isSent;

    /// <summary>Adds the token of a save. Returns false, and logs it, if the response has started.</summary>
    public bool Add(SessionToken token)
    {
        if (token.Stamp.IsNone)
            return true;        // nothing was written
        lock (_lock)
        {
            if (!_isSent)
            {
                (_made ??= new TokenSet()).Add(token.Stamp);
                return true;
            }
        }
        AspNetCoreLog.SavedTooLate(logger, path);
        return false;
    }

    /// <summary>Returns the tokens for the response, which is about to start; null if there are none.</summary>
    public TokenSet? Take()
    {
        lock (_lock)
        {
            _isSent = true;
            return _made;
        }
    }
}
