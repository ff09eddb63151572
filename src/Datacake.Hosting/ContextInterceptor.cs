using Datacake.Data;

namespace Datacake.Hosting;

/// <summary>An interceptor that every context of the application gets, whether of a scope or of a factory.</summary>
/// <param name="Interceptor">The interceptor, which all contexts share.</param>
sealed record ContextInterceptor(DatacakeInterceptor Interceptor);
