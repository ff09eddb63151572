namespace Datacake.AspNetCore.SignalR;

/// <summary>The kind of the names to which a message is sent. The numbers are part of the wire format.</summary>
enum MessageScope
{
    All = 0,
    Groups = 1,
    Users = 2,
    Connections = 3,
}

/// <summary>The connections to which a message is sent: those of the names, apart from the excluded ones. Each gets the message once, even if several names have it.</summary>
readonly record struct MessageTarget(MessageScope Scope, IReadOnlyList<string> Names, IReadOnlyList<string> Excluded)
{
    public static MessageTarget All(IReadOnlyList<string> excluded) => new(MessageScope.All, [], excluded);

    public static MessageTarget Of(MessageScope scope, params IReadOnlyList<string> names) => new(scope, names, []);
}
