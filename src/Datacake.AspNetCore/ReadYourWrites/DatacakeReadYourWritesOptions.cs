using Datacake.Node;
using Microsoft.AspNetCore.Http;

namespace Datacake.AspNetCore;

/// <summary>The settings of <see cref="DatacakeReadYourWritesExtensions.UseDatacakeReadYourWrites"/>.</summary>
public sealed class DatacakeReadYourWritesOptions
{
    /// <summary>
    /// Gets or sets the cookie with the tokens of a client's saves; null for no cookie. By default, its name is <c>.Datacake.Saves</c>, scripts do not see it, and it is essential, so that it needs no
    /// consent. Its lifetime is <see cref="MaxAge"/>.
    /// </summary>
    public CookieBuilder? Cookie { get; set; } = new()
    {
        Name = ".Datacake.Saves",
        HttpOnly = true,
        IsEssential = true,
        SameSite = SameSiteMode.Lax,
        SecurePolicy = CookieSecurePolicy.SameAsRequest,
    };

    /// <summary>
    /// Gets or sets the name of a header with the tokens, for clients without cookies: each response with tokens has it, and the client sends it with its next request. Null for no header. Default: null.
    /// </summary>
    public string? HeaderName { get; set; }

    /// <summary>Gets or sets the maximum time for which a request waits until this node has the client's saves. Default: 2 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Gets or sets the treatment of a request whose saves have not arrived in time. Default: <see cref="DatacakeReadYourWritesTimeout.ServeStale"/>.</summary>
    public DatacakeReadYourWritesTimeout OnTimeout { get; set; } = DatacakeReadYourWritesTimeout.ServeStale;

    /// <summary>
    /// Gets or sets the name of the header that a response has, with the value <c>true</c>, if its handler may not have seen all saves of the client. Default: <c>Datacake-Stale</c>.
    /// </summary>
    public string StaleHeaderName { get; set; } = "Datacake-Stale";

    /// <summary>
    /// Gets or sets the time for which a save is remembered. Requests do not wait for older ones. A node that has not received a save within this time has other problems than one client. Default: 5 minutes.
    /// </summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Gets or sets the maximum number of requests that wait at the same time; further ones are treated as if they had waited for too long. Default: 1,000.</summary>
    public int MaxWaiting { get; set; } = 1000;

    internal Func<IServiceProvider, DatacakeNode>? FindNode { get; private set; }

    /// <summary>Uses another node than the one that <c>AddDatacake</c> registers.</summary>
    /// <param name="find">Returns the node. It is called when a request presents the first token.</param>
    public void UseNode(Func<IServiceProvider, DatacakeNode> find)
    {
        ArgumentNullException.ThrowIfNull(find);
        FindNode = find;
    }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range. The message names it.</exception>
    internal void Validate()
    {
        if (string.IsNullOrEmpty(Cookie?.Name) && string.IsNullOrEmpty(HeaderName))
            throw new ArgumentException($"There is neither a {nameof(Cookie)} with a name nor a {nameof(HeaderName)}, so the tokens of saves have no way to the client. Set one of them.", nameof(Cookie));
        if (string.IsNullOrEmpty(StaleHeaderName))
            throw new ArgumentException($"The {nameof(StaleHeaderName)} is empty. Set its name.", nameof(StaleHeaderName));
        CheckTime(Timeout, TimeSpan.FromMinutes(10), nameof(Timeout));
        CheckTime(MaxAge, TimeSpan.FromDays(1), nameof(MaxAge));
        if (!Enum.IsDefined(OnTimeout))
            throw new ArgumentException($"{nameof(OnTimeout)} is {OnTimeout}, which is not a value of {nameof(DatacakeReadYourWritesTimeout)}. Use one.", nameof(OnTimeout));
        if (MaxWaiting < 1)
            throw new ArgumentException($"{nameof(MaxWaiting)} is {MaxWaiting}. Use at least 1.", nameof(MaxWaiting));
    }

    static void CheckTime(TimeSpan time, TimeSpan max, string name)
    {
        if (time <= TimeSpan.Zero || time > max)
            throw new ArgumentException($"The {name} of read-your-writes is {time}. Use a positive time of at most {max}.", name);
    }
}
