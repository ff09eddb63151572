namespace Datacake.Rpc;

/// <summary>A named set of handlers, which can be added to and removed from a running server.</summary>
public abstract class RpcService
{
    /// <summary>The name that callers use; at most 255 bytes of UTF-8.</summary>
    public abstract string Name { get; }

    /// <summary>Says what the service handles. Called once for each server it is added to.</summary>
    protected internal abstract void Register(RpcHandlers handlers);
}
