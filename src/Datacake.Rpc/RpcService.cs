namespace Datacake.Rpc;

/// <summary>A named set of handlers that can be added to and removed from a running server.</summary>
public abstract class RpcService
{
    /// <summary>Gets the name that callers use. It has at most 255 bytes in UTF-8.</summary>
    public abstract string Name { get; }

    /// <summary>Registers the handlers of the service. Called once for each server to which the service is added.</summary>
    protected internal abstract void Register(RpcHandlers handlers);
}
