#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

// A macro that casts, which Swift cannot see.
static inline virConnectDomainEventGenericCallback skerryDeviceCallback(virConnectDomainEventDeviceAddedCallback callback) {
    return VIR_DOMAIN_EVENT_CALLBACK(callback);
}
static inline virConnectDomainEventGenericCallback skerryLifecycleCallback(virConnectDomainEventCallback callback) {
    return VIR_DOMAIN_EVENT_CALLBACK(callback);
}
