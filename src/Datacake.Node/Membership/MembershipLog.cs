using Microsoft.Extensions.Logging;

namespace Datacake.Node.Membership;

/// <summary>The log messages about members.</summary>
static partial class MembershipLog
{
    [LoggerMessage(2003, LogLevel.Information, "{Change}: {Member}.")]
    public static partial void MemberChanged(ILogger logger, MembershipChangeKind change, ClusterMember member);
}
